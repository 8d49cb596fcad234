"""Logging in, refreshing and logging out over the API."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import update

from pynomaly.server.db import Database
from pynomaly.server.users.models import Login, User

CREDENTIALS = {"email": "ada@example.org", "password": "correct horse battery"}
MakeUser = Callable[..., User]
AUTH = "/api/v1/auth"


def bearer(tokens: dict[str, str]) -> dict[str, str]:
    """The header that carries the access token."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@pytest.fixture
def tokens(client: httpx.Client, make_user: MakeUser) -> dict[str, str]:
    """What logging in answers."""
    make_user()
    answer = client.post(f"{AUTH}/login", json=CREDENTIALS)
    assert answer.status_code == 200
    return dict(answer.json())


def test_log_in_use_refresh_log_out(client: httpx.Client, tokens: dict[str, str]) -> None:
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)
    me = client.get(f"{AUTH}/me", headers=bearer(tokens)).json()
    assert (me["email"], me["role"]) == ("ada@example.org", "user")
    assert "password_hash" not in me
    following = client.post(f"{AUTH}/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    assert client.get(f"{AUTH}/me", headers=bearer(following)).json() == me
    answer = client.post(f"{AUTH}/logout", headers=bearer(following))
    assert (answer.status_code, answer.content) == (204, b"")
    for old in (tokens, following):
        assert client.get(f"{AUTH}/me", headers=bearer(old)).status_code == 401
        again = client.post(f"{AUTH}/refresh", json={"refresh_token": old["refresh_token"]})
        assert (again.status_code, again.json()["code"]) == (401, "bad_refresh_token")


def test_a_known_and_an_unknown_account_get_the_same_answer(
    client: httpx.Client, make_user: MakeUser
) -> None:
    make_user()
    answers = [
        client.post(
            f"{AUTH}/login", json={"email": email, "password": "wrong"}, headers={"X-Request-ID": "x"}
        )
        for email in ("ada@example.org", "nobody@example.org", "not an address")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers)) for answer in answers}) == 1


def test_guessing_answers_429_whatever_a_header_says(client: httpx.Client, make_user: MakeUser) -> None:
    make_user()
    for number in range(11):
        forged = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"}
        body = {**CREDENTIALS, "password": "wrong"}
        answer = client.post(f"{AUTH}/login", json=body, headers=forged)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(answer.headers["retry-after"]) <= 900


def test_other_authorizations_are_401(client: httpx.Client) -> None:
    for authorization in ("", "Bearer", "Bearer x.y.z", "Basic YTpi", "bearer\tx", "Bearer \xe9", "B" * 9000):
        headers = {b"Authorization": authorization.encode("latin-1")}
        answer = client.get(f"{AUTH}/me", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_bad_token_is_not_rescued_by_a_good_cookie(browser: httpx.Client) -> None:
    assert browser.get(f"{AUTH}/me").status_code == 200
    assert browser.get(f"{AUTH}/me", headers={"Authorization": "Bearer x"}).status_code == 401


def test_ending_a_log_in_or_an_account_works_at_once(
    client: httpx.Client, tokens: dict[str, str], database: Database
) -> None:
    def is_in() -> bool:
        return client.get(f"{AUTH}/me", headers=bearer(tokens)).status_code == 200

    assert is_in()
    with database.session() as session:
        session.execute(update(User).values(active=False))
    assert not is_in()
    with database.session() as session:
        session.execute(update(User).values(active=True))
    assert is_in()
    with database.session() as session:
        session.execute(update(Login).values(revoked_at=Login.created_at))
    assert not is_in()


@pytest.mark.any_database
def test_a_flood_of_log_ins_does_not_hold_up_others(
    client: httpx.Client, url: str, make_user: MakeUser
) -> None:
    make_user()
    done = threading.Event()

    def flood(number: int) -> None:
        body = {"email": f"user{number}@example.org", "password": "wrong"}
        httpx.post(f"{url}{AUTH}/login", json=body, timeout=60)

    def ask() -> list[float]:
        times = []
        while not done.is_set():
            start = time.perf_counter()
            assert client.get("/api/v1/health/ready").status_code == 200
            times.append(time.perf_counter() - start)
        return times

    with ThreadPoolExecutor(31) as pool:
        asking = pool.submit(ask)
        list(pool.map(flood, range(30)))
        done.set()
        times = sorted(asking.result())
    assert times[len(times) // 2] < 0.25
