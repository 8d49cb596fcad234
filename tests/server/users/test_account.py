"""One's own account over the API: who am I, a new name, address or password."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import select, update

from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import GRANTED

pytestmark = pytest.mark.any_database

PASSWORD = "correct horse battery"
NEW = "another horse battery"
LogIn = Callable[..., httpx.Client]
AUTH = "/api/v1/auth"


def actions(database: Database) -> list[str]:
    """What the audit log says, oldest first."""
    with database.session(write=False) as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.at)))


def again(url: str, password: str, email: str = "ada@example.org") -> httpx.Response:
    """Log in."""
    return httpx.post(f"{url}{AUTH}/login", json={"email": email, "password": password}, timeout=30)


def test_me_says_what_these_credentials_may_do(api: httpx.Client, log_in: LogIn) -> None:
    answer = api.get(f"{AUTH}/me")
    me = answer.json()
    assert set(me) == {
        *("id", "email", "name", "role", "active", "permissions", "created_at", "updated_at"),
    }
    assert me["permissions"] == sorted(GRANTED["user"])
    assert api.get(f"{AUTH}/me", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    admin = log_in("root@example.org", "admin")
    assert set(admin.get(f"{AUTH}/me").json()["permissions"]) == GRANTED["admin"]
    assert api.get(f"{AUTH}/me?fields=email").json() == {"email": "ada@example.org"}


def test_a_name_changes_without_a_password_an_address_does_not(
    api: httpx.Client, url: str, database: Database
) -> None:
    tag = api.get(f"{AUTH}/me").headers["etag"]
    changed = api.patch(f"{AUTH}/me", json={"name": " Ada L. "}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["name"]) == (200, "Ada L.")
    assert changed.headers["etag"] == api.get(f"{AUTH}/me").headers["etag"] != tag
    stale = api.patch(f"{AUTH}/me", json={"name": "Bob"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    for password in ({}, {"current_password": "wrong"}):
        refused = api.patch(f"{AUTH}/me", json={"email": "new@example.org", **password})
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong_password")
    body = {"email": " New@example.org", "current_password": PASSWORD}
    assert api.patch(f"{AUTH}/me", json=body).json()["email"] == "new@example.org"
    assert again(url, PASSWORD).status_code == 401
    assert again(url, PASSWORD, "new@example.org").status_code == 200
    with database.session(write=False) as session:
        changes = select(AuditEntry.details).where(AuditEntry.action == "user.change").order_by(AuditEntry.at)
        assert session.scalars(changes).all() == [
            {"name": ["", "Ada L."]},
            {"email": ["ada@example.org", "new@example.org"]},
        ]


def test_what_nobody_may_change_of_themselves(api: httpx.Client, log_in: LogIn) -> None:
    log_in("bob@example.org")
    for body in (
        {"role": "admin"},
        {"id": "x"},
        {"active": True},
        {"permissions": []},
        {"name": "a\nb"},
        {"name": "x" * 201},
        {"email": "no address", "current_password": PASSWORD},
    ):
        assert api.patch(f"{AUTH}/me", json=body).status_code == 422, body
    taken = api.patch(f"{AUTH}/me", json={"email": "bob@example.org", "current_password": PASSWORD})
    assert taken.status_code == 409
    assert api.get(f"{AUTH}/me").json()["email"] == "ada@example.org"


def test_a_new_password_ends_other_sessions_and_leaves_keys(
    api: httpx.Client, url: str, database: Database
) -> None:
    other = again(url, PASSWORD).json()
    bearer = {"Authorization": f"Bearer {other['access_token']}"}
    key = api.post(f"{AUTH}/api-keys", json={"name": "k", "scopes": ["account:read"]}).json()["key"]
    assert httpx.get(f"{url}{AUTH}/me", headers=bearer).status_code == 200
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert api.post(f"{AUTH}/password", json=body).status_code == 204
    assert httpx.get(f"{url}{AUTH}/me", headers=bearer).status_code == 401
    assert (
        httpx.post(f"{url}{AUTH}/refresh", json={"refresh_token": other["refresh_token"]}).status_code == 401
    )
    assert api.get(f"{AUTH}/me").status_code == 200
    assert httpx.get(f"{url}{AUTH}/me", headers={"X-API-Key": key}).status_code == 200
    assert (again(url, PASSWORD).status_code, again(url, NEW).status_code) == (401, 200)
    body = {"current_password": NEW, "new_password": PASSWORD, "revoke_api_keys": True}
    assert api.post(f"{AUTH}/password", json=body).status_code == 204
    assert httpx.get(f"{url}{AUTH}/me", headers={"X-API-Key": key}).status_code == 401
    assert actions(database).count("password.change") == 2
    assert "apikey.revoke" in actions(database)


def test_the_present_password_cannot_be_guessed_from_a_stolen_session(
    api: httpx.Client, database: Database
) -> None:
    for _ in range(10):
        body = {"current_password": "wrong", "new_password": NEW}
        refused = api.post(f"{AUTH}/password", json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong_password")
    locked = api.post(f"{AUTH}/password", json={"current_password": PASSWORD, "new_password": NEW})
    assert locked.status_code == 429, "the right password is refused as well"
    assert locked.json()["code"] == "too_many_attempts"
    assert 0 < int(locked.headers["retry-after"]) <= 900
    email = {"email": "new@example.org", "current_password": PASSWORD}
    assert api.patch(f"{AUTH}/me", json=email).status_code == 429
    assert actions(database).count("password.refused") == 10


def test_a_bad_new_password_is_refused(api: httpx.Client) -> None:
    for password in ("short", "aaaaaaaaaaaaaaaa", "x" * 1025, "ada@example.org"):
        body = {"current_password": PASSWORD, "new_password": password}
        assert api.post(f"{AUTH}/password", json=body).status_code == 422


def test_who_signs_in_elsewhere_has_no_password_to_change(api: httpx.Client, database: Database) -> None:
    with database.session() as session:
        session.execute(update(User).values(password_hash=""))
    body = {"current_password": "", "new_password": NEW}
    assert api.post(f"{AUTH}/password", json=body).json()["code"] == "wrong_password"


def test_logging_in_and_out_is_written_down(client: httpx.Client, log_in: LogIn, database: Database) -> None:
    api = log_in()
    api.post(f"{AUTH}/logout")
    wrong = {"email": "ada@example.org", "password": "a canary"}
    for email in ("ada@example.org", "a-canary@example.org"):
        client.post(f"{AUTH}/login", json={**wrong, "email": email}, headers={"X-Request-ID": "r-1"})
    assert actions(database) == ["user.create", "login.success", "logout", "login.failed", "login.failed"]
    with database.session(write=False) as session:
        failed = session.scalars(select(AuditEntry).where(AuditEntry.action == "login.failed")).all()
        known = {entry.target_name for entry in failed}
        assert known == {"ada@example.org", None}
        assert {(entry.address, entry.request_id) for entry in failed} == {("127.0.0.1", "r-1")}
        assert all("canary" not in str(vars(entry)) for entry in failed)


def test_an_account_that_is_locked_is_written_down_once(
    client: httpx.Client, log_in: LogIn, database: Database
) -> None:
    log_in()
    for _ in range(13):
        client.post(f"{AUTH}/login", json={"email": "ada@example.org", "password": "wrong"})
    assert actions(database).count("login.failed") == 10
    assert actions(database).count("login.locked") == 1
