"""Who is asking: remembered for a moment, and never longer than somebody may ask."""

import time
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import update

from pynomaly.server.db import Database
from pynomaly.server.users.models import Login, User
from pynomaly.server.web import callers
from pynomaly.settings import Settings

LogIn = Callable[..., httpx.Client]
ME = "/api/v1/auth/me"


def test_a_commit_here_forgets_everybody(api: httpx.Client, database: Database) -> None:
    assert api.get(ME).status_code == 200
    with database.session() as session:
        session.execute(update(User).values(active=False))
    assert api.get(ME).status_code == 401
    with database.session() as session:
        session.execute(update(User).values(active=True, role="viewer"))
    assert api.get(ME).json()["role"] == "viewer"


def test_another_process_is_heard_within_a_second(api: httpx.Client, settings: Settings) -> None:
    assert api.get(ME).status_code == 200
    elsewhere = Database(settings)
    with elsewhere.session() as session:
        session.execute(update(Login).values(revoked_at=Login.created_at))
    elsewhere.close()
    revoked = time.monotonic()
    while api.get(ME).status_code == 200:
        assert time.monotonic() - revoked < 1
        time.sleep(0.01)
    assert api.get(ME).status_code == 401


def test_a_request_that_follows_closely_asks_nothing(
    api: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "REMEMBERED_SECONDS", 60)
    assert api.get(ME).status_code == 200
    with monkeypatch.context() as patched:
        patched.setattr(database, "session", None)  # a query would be an error
        for _ in range(3):
            assert api.get(ME).status_code == 200
        assert api.get(ME, headers={"Authorization": "Bearer other"}).status_code == 500


def test_memory_is_bounded(log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "MOST_REMEMBERED", 2)
    for number in range(4):
        assert log_in(f"{number}@example.org").get(ME).json()["email"] == f"{number}@example.org"


def test_two_kinds_of_credentials_at_once_are_refused(api: httpx.Client) -> None:
    answer = api.get(ME, headers={"X-API-Key": "pyn_x"})
    assert (answer.status_code, "not both" in answer.json()["detail"]) == (401, True)
    assert api.get(ME, headers={"Authorization": "Basic eDp5"}).status_code == 401
