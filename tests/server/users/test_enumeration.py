"""Nobody learns from an answer, or from how long it takes, who has an account."""

import time
from collections.abc import Callable
from statistics import median

import httpx
import pytest
from sqlalchemy import delete, update

from pynomaly.errors import BadCredentials
from pynomaly.server.db import Database
from pynomaly.server.users.models import LoginAttempt, User
from pynomaly.server.users.passwords import warm_up
from pynomaly.server.users.service import authenticate

pytestmark = pytest.mark.any_database

MakeUser = Callable[..., User]
KNOWN = "ada@example.org"
ELSEWHERE = "sso@example.org"
DISABLED = "gone@example.org"
UNKNOWN = "nobody@example.org"
ROUNDS = 40
TRIES = 5


@pytest.fixture
def people(database: Database, make_user: MakeUser) -> list[str]:
    """One account of each kind, and an address without one."""
    for email in (KNOWN, ELSEWHERE, DISABLED):
        make_user(email)
    with database.session() as session:
        session.execute(update(User).where(User.email == ELSEWHERE).values(password_hash=""))
        session.execute(update(User).where(User.email == DISABLED).values(active=False))
    warm_up()
    return [KNOWN, ELSEWHERE, DISABLED, UNKNOWN]


def test_all_get_the_same_answer(people: list[str], client: httpx.Client) -> None:
    answers = [
        client.post(
            "/api/v1/auth/login",
            json={"email": email, "password": password},
            headers={"X-Request-ID": "same"},
        )
        for email in people
        for password in ("wrong password", "correct horse battery", "")
        if (email, password) != (KNOWN, "correct horse battery")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers)) for answer in answers}) == 1


def medians(database: Database, people: list[str]) -> dict[str, float]:
    """Processor time of a failed log-in, of each; turn by turn, so that all meet the same machine."""
    taken: dict[str, list[float]] = {email: [] for email in people}
    for _ in range(ROUNDS):
        for email in people:
            start = time.thread_time()
            with pytest.raises(BadCredentials):
                authenticate(database, email, "wrong password")
            taken[email].append(time.thread_time() - start)
            with database.session() as session:
                session.execute(delete(LoginAttempt))
    return {email: median(values) for email, values in taken.items()}


def test_all_take_as_long(people: list[str], database: Database) -> None:
    """Within 5 %; on a busy machine a measurement may be off, but not five times in the same direction."""
    for _ in range(TRIES):
        found = medians(database, people)
        if max(found.values()) / min(found.values()) < 1.05:
            return
    raise AssertionError(found)
