"""What is secret stays out of logs, metrics, errors, the audit log and the database; a dump opens nothing."""

import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from pynomaly.server.log import configure
from pynomaly.settings import Settings

Send = Callable[..., Any]
CANARY = "cAnArY-9f3b-horse-battery"
NEW = "cAnArY-77aa-another-battery"


@pytest.fixture
def noise(world: Any, send: Send, capsys: pytest.CaptureFixture[str]) -> Iterator[dict[str, Any]]:
    """Do all that has to do with secrets, rightly and wrongly, at the most talkative level."""
    configure(Settings(log_level="debug"))
    user = world.user("admin")
    headers, _ = world.bearer(user)
    email = f"canary-{user.id[:8]}@example.org"
    person = {"email": email, "name": "C", "role": "user", "password": CANARY}
    cut = {"content": b'{"password": "' + CANARY.encode(), "headers": {"Content-Type": "application/json"}}
    page = {"Sec-Fetch-Site": "none"}
    answers = [
        send(
            "POST",
            "/api/v1/admin/users",
            headers=headers,
            json=person,
        ),
        send("POST", "/api/v1/auth/login", json={"email": email, "password": CANARY + "x"}),
        send("POST", "/api/v1/auth/login", json={"email": CANARY, "password": CANARY}),
        send("POST", "/api/v1/auth/login", json={"email": email, "password": CANARY, "token": CANARY}),
        send("POST", "/api/v1/auth/login", json={"email": email, "password": {"a": CANARY}}),
        send(
            "POST",
            "/api/v1/auth/login",
            **cut,
        ),
        send("POST", "/api/v1/auth/refresh", json={"refresh_token": CANARY}),
        send("POST", "/api/v1/auth/password-reset", json={"token": CANARY, "new_password": CANARY}),
        send("GET", "/api/v1/auth/me", headers={"Authorization": f"Bearer {CANARY}"}),
        send("GET", "/api/v1/auth/me", headers={"X-API-Key": f"pyn_{CANARY}"}),
        send("GET", "/api/v1/auth/me", headers={"Cookie": f"pynomaly_session={CANARY}"}),
        send("GET", f"/api/v1/datasets?token={CANARY}"),
        send(
            "POST",
            "/login",
            data={"email": email, "password": CANARY + "y"},
            headers=page,
        ),
    ]
    tokens = send("POST", "/api/v1/auth/login", json={"email": email, "password": CANARY}).json()
    mine = {"Authorization": f"Bearer {tokens['access_token']}"}
    body = {"name": "k", "scopes": ["jobs:read"]}
    key = send("POST", "/api/v1/auth/api-keys", headers=mine, json=body).json()["key"]
    again = send("POST", "/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    change = {"current_password": CANARY, "new_password": NEW}
    mine = {"Authorization": f"Bearer {again['access_token']}"}
    answers.append(send("POST", "/api/v1/auth/password", headers=mine, json=change))
    assert answers[-1].status_code == 204, answers[-1].text
    logged = send("POST", "/login", data={"email": email, "password": NEW}, headers=page)
    cookie = logged.cookies["pynomaly_session"]
    reset = send("POST", f"/api/v1/admin/users/{user.id}/password-reset", headers=headers)
    link = reset.json().get("url", "") if reset.status_code == 201 else ""
    secrets = [CANARY, NEW, key, tokens["refresh_token"], again["refresh_token"], cookie]
    secrets += [tokens["access_token"], again["access_token"], link.rpartition("=")[2]]
    secrets.append(world.settings.home.joinpath("secret").read_text().strip())
    yield {
        "secrets": [one for one in secrets if one],
        "answers": answers,
        "headers": headers,
        "log": capsys.readouterr().err,
        "key": key,
    }
    configure(Settings(log_level="error"))


def dump(world: Any) -> str:
    """The database as text, and the bytes of its files."""
    text = io.StringIO()
    with sqlite3.connect(world.settings.home / "pynomaly.db") as connection:
        text.writelines(connection.iterdump())
    raw = [path.read_bytes().decode("latin-1") for path in world.settings.home.glob("pynomaly.db*")]
    return text.getvalue() + "".join(raw)


def test_canaries_are_nowhere(world: Any, send: Send, noise: dict[str, Any]) -> None:
    headers = noise["headers"]
    places = {
        "log": noise["log"],
        "errors": "".join(answer.text + json.dumps(dict(answer.headers)) for answer in noise["answers"]),
        "metrics": send("GET", "/api/v1/metrics", headers=headers).text,
        "audit": send("GET", "/api/v1/admin/audit-log/export?format=csv", headers=headers).text
        + json.dumps(send("GET", "/api/v1/admin/audit-log?limit=200", headers=headers).json()),
        "database": dump(world),
    }
    assert '"event"' in places["log"]
    assert "login" in places["audit"]
    assert "CREATE TABLE" in places["database"]
    for where, text in places.items():
        for secret in noise["secrets"]:
            assert secret.casefold() not in text.casefold(), (where, secret)


def test_nothing_in_a_dump_gets_in(world: Any, send: Send, noise: dict[str, Any]) -> None:
    with sqlite3.connect(world.settings.home / "pynomaly.db") as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        values = {
            str(value)
            for table in ("api_keys", "refresh_tokens", "logins", "one_time_links", "users")
            for row in connection.execute(f'SELECT * FROM "{table}"')
            for value in row
            if isinstance(value, str) and 16 <= len(value) <= 255
        }
    assert {"api_keys", "refresh_tokens"} <= set(tables)
    assert len(values) > 10
    sample = sorted(values)[-300:]
    for value in sample:
        for headers in (
            {"X-API-Key": value},
            {"X-API-Key": f"pyn_{value}"},
            {"Authorization": f"Bearer {value}"},
            {"Cookie": f"pynomaly_session={value}"},
        ):
            try:
                status = send("GET", "/api/v1/jobs", headers=headers).status_code
            except (UnicodeEncodeError, ValueError):
                continue
            assert status == 401, headers
        refreshed = send("POST", "/api/v1/auth/refresh", json={"refresh_token": value})
        assert refreshed.status_code in (401, 422)
    assert send("GET", "/api/v1/jobs", headers={"X-API-Key": noise["key"]}).status_code == 200


def test_a_fault_tells_no_secret(world: Any, send: Send, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the answer nor the log of a broken route has what was sent to it."""
    headers, _ = world.bearer(world.user())

    def broken(**_: Any) -> Any:
        raise RuntimeError("broken")

    original, world.app.state.rate_limits.charge_caller = world.app.state.rate_limits.charge_caller, broken
    configure(Settings(log_level="debug"))
    try:
        answer = send("PATCH", "/api/v1/auth/me", headers=headers, json={"name": CANARY})
        logged = capsys.readouterr().err
    finally:
        world.app.state.rate_limits.charge_caller = original
        configure(Settings(log_level="error"))
    assert answer.status_code == 500
    assert "internal_error" in logged
    assert CANARY not in answer.text + logged
    assert headers["Authorization"].partition(" ")[2] not in answer.text + logged
    assert "Traceback" not in answer.text


def test_a_database_error_is_logged_without_what_was_typed(
    world: Any, send: Send, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, _ = world.bearer(world.user())

    def broken(*_: Any, **__: Any) -> Any:
        lost = sqlite3.OperationalError("no such table: users")
        raise OperationalError("update users set name = ?", [CANARY], lost)

    monkeypatch.setattr(world.app.state.rate_limits, "charge_caller", broken)
    answer = send("GET", "/api/v1/auth/me", headers=headers)
    logged = capsys.readouterr().err
    assert answer.status_code == 500
    assert "no such table" in logged
    assert CANARY not in answer.text + logged
