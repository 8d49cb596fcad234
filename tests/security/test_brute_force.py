"""Who guesses learns nothing, is slowed down, and is not forgotten by a restart or a forged header."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete

from pynomaly.server.users.models import LoginAttempt
from pynomaly.server.web.app import create_app

Send = Callable[..., Any]
LOG_IN = "/api/v1/auth/login"
ALLOWED_DIFFERENCE = 0.05
ROUNDS = 40


@pytest.fixture(autouse=True)
def _fresh(world: Any) -> None:
    """No attempt is remembered from the test before."""
    forget(world)


def forget(world: Any) -> None:
    """Forget all attempts."""
    with world.database.session() as session:
        session.execute(delete(LoginAttempt))


def attempt(send: Send, email: str, **headers: str) -> Any:
    """Log in with a wrong password."""
    return send("POST", LOG_IN, json={"email": email, "password": "wrong horse battery"}, headers=headers)


def test_known_and_unknown_accounts_answer_the_same(world: Any, send: Send) -> None:
    user = world.user()
    known, unknown = attempt(send, user.email), attempt(send, "nobody@example.org")
    bodies = [
        {k: v for k, v in answer.json().items() if k != "correlation_id"} for answer in (known, unknown)
    ]
    assert bodies[0] == bodies[1]
    assert known.status_code == unknown.status_code == 401
    varying = {"x-request-id", "date", "ratelimit"}
    names = [{k: v for k, v in answer.headers.items() if k not in varying} for answer in (known, unknown)]
    assert names[0] == names[1]


def test_known_and_unknown_accounts_take_the_same_time(world: Any, send: Send) -> None:
    """Medians of interleaved attempts within 5 %; noise of the machine is given three tries."""
    user = world.user()
    for _ in range(5):
        seconds: dict[str, list[float]] = {user.email: [], "nobody@example.org": []}
        for number in range(ROUNDS):
            for email in sorted(seconds, reverse=bool(number % 2)):
                if number % 4 == 0:
                    forget(world)
                began = time.perf_counter()
                assert attempt(send, email).status_code == 401
                seconds[email].append(time.perf_counter() - began)
        one, other = (statistics.median(times) for times in seconds.values())
        if abs(one - other) / max(one, other) < ALLOWED_DIFFERENCE:
            return
    raise AssertionError((one, other))


def test_a_reset_tells_nothing_either(world: Any, send: Send) -> None:
    user = world.user()
    answers = [
        send("POST", "/api/v1/auth/password-reset/request", json={"email": email})
        for email in (user.email, "nobody@example.org")
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 2


def test_an_account_is_guarded_and_a_forged_address_changes_nothing(world: Any, send: Send) -> None:
    email = world.user().email
    statuses = [
        attempt(send, email, **{"X-Forwarded-For": f"192.0.2.{n}", "X-Real-IP": f"192.0.2.{n}"}).status_code
        for n in range(15)
    ]
    assert statuses[:10] == [401] * 10
    assert set(statuses[10:]) == {429}
    refused = attempt(send, email)
    assert int(refused.headers["retry-after"]) > 60
    right = send("POST", LOG_IN, json={"email": email, "password": "correct horse battery"})
    assert right.status_code == 429, "the right password is refused as well, or guessing would go on"


def test_an_address_that_tries_many_accounts_is_stopped(send: Send) -> None:
    statuses = [attempt(send, f"guess-{n}@example.org").status_code for n in range(60)]
    assert statuses[:50] == [401] * 50
    assert set(statuses[50:]) == {429}


def test_a_restart_forgets_nothing(world: Any, send: Send) -> None:
    email = world.user().email
    for _ in range(11):
        attempt(send, email)
    state = dict(world.app.state._state)
    fresh = create_app(world.settings, world.database)
    try:
        world.app.state._state.update(fresh.state._state)
        assert attempt(send, email).status_code == 429
    finally:
        world.app.state._state.update(state)


def test_ids_and_tokens_of_others_are_not_told_apart(world: Any, send: Send) -> None:
    """What is another's and what does not exist answer with the same words."""
    headers, _ = world.bearer(world.user())
    strange = world.things(world.user())
    for kind, path in (
        ("dataset", "/api/v1/datasets/"),
        ("detector", "/api/v1/detectors/"),
        ("detection", "/api/v1/detection/results/"),
        ("job", "/api/v1/jobs/"),
    ):
        nowhere = "00000000-0000-4000-8000-000000000000"
        answers = [send("GET", path + id_, headers=headers) for id_ in (strange[kind], nowhere)]
        told = [{k: v for k, v in one.json().items() if k != "correlation_id"} for one in answers]
        assert told[0] == told[1]
        assert [one.status_code for one in answers] == [404, 404]
