"""Sessions are listed with where they come from, and end when their owner says so."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event, select, text, update

from pynomaly.server.db import Database, utc_now
from pynomaly.server.users import last_used as last_used_module
from pynomaly.server.users.last_used import LastUsed
from pynomaly.server.users.models import ApiKey, Login

PASSWORD = "correct horse battery"
LogIn = Callable[..., httpx.Client]
SESSIONS = "/api/v1/auth/sessions"
ME = "/api/v1/auth/me"


def another(url: str, agent: str = "curl/9") -> httpx.Client:
    """A second log-in of Ada's."""
    body = {"email": "ada@example.org", "password": PASSWORD}
    headers = {"User-Agent": agent}
    answer = httpx.post(f"{url}/api/v1/auth/login", json=body, headers=headers, timeout=30)
    token = answer.raise_for_status().json()["access_token"]
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})


def test_sessions_are_listed_and_the_present_one_is_marked(browser: httpx.Client, url: str) -> None:
    with another(url, "curl/9" + "x" * 300) as api:
        items = api.get(SESSIONS).json()["items"]
        assert [(one["kind"], one["current"]) for one in items] == [("api", True), ("browser", False)]
        assert [one["current"] for one in browser.get(SESSIONS).json()["items"]] == [False, True]
    assert (items[0]["user_agent"], items[0]["address"]) == ("curl/9" + "x" * 194, "127.0.0.1")
    assert items[1]["user_agent"].startswith("python-httpx")
    first = browser.get(SESSIONS, params={"limit": 1}).json()
    rest = browser.get(SESSIONS, params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == [one["id"] for one in items]


def test_one_session_ends(api: httpx.Client, url: str) -> None:
    with another(url) as other:
        [mine] = [one for one in other.get(SESSIONS).json()["items"] if one["current"]]
        assert api.delete(f"{SESSIONS}/{mine['id']}").status_code == 204
        assert other.get(ME).status_code == 401
        assert api.delete(f"{SESSIONS}/{mine['id']}").status_code == 404
    assert len(api.get(SESSIONS).json()["items"]) == 1


def test_nobody_ends_a_strangers_session(api: httpx.Client, log_in: LogIn) -> None:
    [theirs] = log_in("bob@example.org", "admin").get(SESSIONS).json()["items"]
    for id_ in (theirs["id"], "x", "../x"):
        assert api.delete(f"{SESSIONS}/{id_}").status_code == 404
    assert len(api.get(SESSIONS).json()["items"]) == 1


def test_all_others_end_at_once(api: httpx.Client, log_in: LogIn, url: str) -> None:
    stranger = log_in("bob@example.org")
    with another(url) as one, another(url) as two:
        assert api.delete(SESSIONS).status_code == 204
        assert {one.get(ME).status_code, two.get(ME).status_code} == {401}
    assert {api.get(ME).status_code, stranger.get(ME).status_code} == {200}
    assert len(api.get(SESSIONS).json()["items"]) == 1


def test_reading_writes_nothing_and_uses_are_written_later(
    api: httpx.Client, app: FastAPI, database: Database
) -> None:
    written = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda *arguments: written.append(arguments[2]) if "UPDATE" in arguments[2] else None,
    )
    for _ in range(5):
        assert api.get(SESSIONS).json()["items"][0]["last_used_at"] is None
    assert not written
    last_used: LastUsed = app.state.last_used
    last_used.write()
    assert len(written) == 1
    assert api.get(SESSIONS).json()["items"][0]["last_used_at"] is not None
    last_used.write()
    last_used.write()
    assert len(written) == 2


def test_an_earlier_moment_does_not_replace_a_later_one(
    api: httpx.Client, app: FastAPI, database: Database
) -> None:
    later = utc_now() + timedelta(hours=1)
    with database.session() as session:
        session.execute(update(Login).values(last_used_at=later))
    api.get(ME)
    app.state.last_used.write()
    with database.session(write=False) as session:
        assert session.scalars(select(Login.last_used_at)).all() == [later]


def test_keys_are_noted_too(api: httpx.Client, app: FastAPI, url: str, database: Database) -> None:
    body = {"name": "k", "scopes": ["account:read"]}
    key = api.post("/api/v1/auth/api-keys", json=body).json()["key"]
    assert httpx.get(f"{url}{ME}", headers={"X-API-Key": key}).status_code == 200
    app.state.last_used.write()
    with database.session(write=False) as session:
        assert session.scalars(select(ApiKey.last_used_at)).one() is not None


def test_uses_are_written_while_the_server_runs_and_at_its_end(
    api: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session() as session:
        [id_] = session.scalars(select(Login.id))
    written: list[str] = []
    monkeypatch.setattr(last_used_module, "EVERY_SECONDS", 0.01)
    last_used = LastUsed(database)
    monkeypatch.setattr(last_used, "write", lambda: written.append("write"))

    async def run() -> None:
        async with last_used.being_written():
            while len(written) < 3:
                await asyncio.sleep(0.01)
            monkeypatch.undo()
            last_used.note(Login, id_)

    asyncio.run(run())
    with database.session(write=False) as session:
        assert session.scalars(select(Login.last_used_at)).one() is not None


def test_an_unreachable_database_does_not_end_the_writing(database: Database) -> None:
    last_used = LastUsed(database)
    last_used.note(Login, "x")
    with database.session() as session:
        session.execute(text("DROP TABLE logins" + (" CASCADE" if not database.is_sqlite else "")))
    last_used._try_to_write()
