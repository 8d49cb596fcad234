"""API keys: shown once, bounded by scopes and role, listed by prefix, rotated with overlap, ended at once."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database, utc_now
from pynomaly.server.users.keys import MOST
from pynomaly.server.users.models import ApiKey, User
from pynomaly.server.users.permissions import SCOPES

LogIn = Callable[..., httpx.Client]
KEYS = "/api/v1/auth/api-keys"
ME = "/api/v1/auth/me"


@pytest.fixture
def program(url: str) -> Iterator[Callable[..., httpx.Response]]:
    """Ask with an API key."""

    def ask(key: str, path: str = ME, method: str = "GET") -> httpx.Response:
        return httpx.request(method, url + path, headers={"X-API-Key": key}, timeout=30)

    return ask


def make(api: httpx.Client, *scopes: str, **values: object) -> dict[str, str]:
    """Make a key."""
    body = {"name": "nightly run", "scopes": scopes or ("account:read",), **values}
    answer = api.post(KEYS, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_key_is_shown_once_and_listed_by_its_beginning(
    api: httpx.Client, program: Callable[..., httpx.Response], database: Database
) -> None:
    made = make(api, "datasets:read", "account:read")
    assert made["key"].startswith("pyn_")
    assert len(made["key"]) == 47
    assert made["prefix"] == made["key"][:12]
    assert made["scopes"] == ["datasets:read", "account:read"]
    assert program(made["key"]).json()["permissions"] == ["account:read", "datasets:read"]
    for path in (KEYS, f"{KEYS}/{made['id']}"):
        answer = api.get(path)
        assert made["prefix"] in answer.text
        assert made["key"] not in answer.text
    with database.session(write=False) as session:
        stored = session.scalars(select(ApiKey)).one()
        assert made["key"] not in str(vars(stored))


def test_a_lost_answer_cannot_be_had_again(api: httpx.Client) -> None:
    body, headers = {"name": "k", "scopes": ["jobs:read"]}, {"Idempotency-Key": "once"}
    first, second = (api.post(KEYS, json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 409)
    assert first.headers["location"] == f"{KEYS}/{first.json()['id']}"
    assert len(api.get(KEYS).json()["items"]) == 1


def test_scopes_are_bounded_by_the_list_and_the_role(api: httpx.Client, log_in: LogIn) -> None:
    for scopes in (["account:write"], ["users:read"], ["datasets"], ["*"], [], ["datasets:read"] * 20):
        assert api.post(KEYS, json={"name": "k", "scopes": scopes}).status_code == 422, scopes
    refused = api.post(KEYS, json={"name": "k", "scopes": ["jobs:read", "users:write"]})
    assert refused.json()["errors"][0]["pointer"] == "#/scopes/1"
    viewer = log_in("vera@example.org", "viewer")
    assert viewer.post(KEYS, json={"name": "k", "scopes": ["datasets:write"]}).status_code == 422
    admin = log_in("root@example.org", "admin")
    assert make(admin, *SCOPES)["scopes"] == list(SCOPES)


def test_other_values_are_checked(api: httpx.Client) -> None:
    past, naive = (utc_now() - timedelta(seconds=1)).isoformat(), "2100-01-01T00:00:00"
    for values in (
        {"name": ""},
        {"name": "a\nb"},
        {"expires_at": past},
        {"expires_at": naive},
        {"user_id": "x"},
        {"prefix": "x"},
    ):
        body = {"name": "k", "scopes": ["jobs:read"], **values}
        assert api.post(KEYS, json=body).status_code == 422, values


def test_a_lower_role_bounds_keys_that_exist_at_once(
    log_in: LogIn, database: Database, program: Callable[..., httpx.Response]
) -> None:
    key = make(log_in("root@example.org", "admin"), "users:read", "datasets:read", "account:read")["key"]
    assert program(key, "/api/v1/admin/users").status_code == 200
    with database.session() as session:
        session.execute(update(User).values(role="viewer"))
    assert program(key, "/api/v1/admin/users").status_code == 403
    assert program(key, "/api/v1/datasets").status_code == 200
    assert program(key).json()["permissions"] == ["account:read", "datasets:read"]
    with database.session() as session:
        session.execute(update(User).values(active=False))
    assert program(key).status_code == 401


def test_a_key_makes_no_keys_and_changes_no_account(
    log_in: LogIn, program: Callable[..., httpx.Response], url: str
) -> None:
    made = make(log_in("root@example.org", "admin"), *SCOPES)
    for method, path in (
        ("POST", KEYS),
        ("DELETE", f"{KEYS}/{made['id']}"),
        ("POST", f"{KEYS}/{made['id']}/rotate"),
        ("PATCH", ME),
        ("POST", "/api/v1/auth/password"),
        ("DELETE", "/api/v1/auth/sessions"),
        ("POST", "/api/v1/auth/logout"),
    ):
        assert program(made["key"], path, method).status_code == 403, path
    assert httpx.get(f"{url}/", headers={"X-API-Key": made["key"]}).status_code == 403


def test_a_key_ends_when_it_is_revoked_or_expires(
    api: httpx.Client, program: Callable[..., httpx.Response], database: Database
) -> None:
    first, second = make(api), make(api, expires_at=(utc_now() + timedelta(days=1)).isoformat())
    tag = api.get(f"{KEYS}/{first['id']}").headers["etag"]
    assert api.delete(f"{KEYS}/{first['id']}", headers={"If-Match": '"x"'}).status_code == 412
    assert api.delete(f"{KEYS}/{first['id']}", headers={"If-Match": tag}).status_code == 204
    assert program(first["key"]).status_code == 401
    assert program(second["key"]).status_code == 200
    assert api.delete(f"{KEYS}/{first['id']}").status_code == 204
    with database.session() as session:
        session.execute(update(ApiKey).where(ApiKey.id == second["id"]).values(expires_at=utc_now()))
    assert program(second["key"]).status_code == 401
    listed = [api.get(KEYS, params={"live": live, "sort": "name"}).json()["items"] for live in (True, False)]
    assert [len(items) for items in listed] == [0, 2]
    with database.session(write=False) as session:
        revoked = session.scalars(select(AuditEntry).where(AuditEntry.action == "apikey.revoke")).one()
        assert revoked.details == {"prefix": first["prefix"]}


def test_rotation_with_and_without_overlap(
    api: httpx.Client, program: Callable[..., httpx.Response], database: Database
) -> None:
    old = make(api, "jobs:read", "account:read", expires_at=(utc_now() + timedelta(days=30)).isoformat())
    rotated = api.post(f"{KEYS}/{old['id']}/rotate", json={"overlap_minutes": 60})
    new = rotated.json()
    assert (rotated.status_code, new["name"], new["scopes"]) == (201, "nightly run", old["scopes"])
    assert abs(float(new["expires_at"][8:10]) - float(old["expires_at"][8:10])) <= 1
    assert {program(key["key"]).status_code for key in (old, new)} == {200}
    shown = api.get(f"{KEYS}/{old['id']}").json()
    assert (shown["rotated_to_id"], shown["revoked_at"]) == (new["id"], None)
    assert shown["expires_at"] < old["expires_at"]
    assert api.post(f"{KEYS}/{old['id']}/rotate", json={}).status_code == 409
    with database.session() as session:  # the overlap passes
        session.execute(update(ApiKey).where(ApiKey.id == old["id"]).values(expires_at=utc_now()))
    assert [program(key["key"]).status_code for key in (old, new)] == [401, 200]
    newest = api.post(f"{KEYS}/{new['id']}/rotate", json={}).json()
    assert [program(key["key"]).status_code for key in (new, newest)] == [401, 200]
    for key in (old, new):
        assert api.post(f"{KEYS}/{key['id']}/rotate", json={}).status_code == 409


def test_rotation_gives_no_scope_that_the_role_lost(log_in: LogIn, database: Database) -> None:
    api = log_in("root@example.org", "admin")
    old = make(api, "users:read", "jobs:read")
    with database.session() as session:
        session.execute(update(User).values(role="user"))
    assert api.post(f"{KEYS}/{old['id']}/rotate", json={}).json()["scopes"] == ["jobs:read"]


def test_strangers_keys_do_not_exist(api: httpx.Client, log_in: LogIn) -> None:
    theirs = make(log_in("bob@example.org", "admin"))
    for id_ in (theirs["id"], "x"):
        assert api.get(f"{KEYS}/{id_}").status_code == 404
        assert api.delete(f"{KEYS}/{id_}").status_code == 404
        assert api.post(f"{KEYS}/{id_}/rotate", json={}).status_code == 404
    assert api.get(KEYS).json()["items"] == []


def test_there_is_an_end_to_keys(api: httpx.Client, database: Database) -> None:
    first = make(api)
    with database.session() as session:
        user = session.scalars(select(User)).one()
        for number in range(MOST - 1):
            session.add(ApiKey(user_id=user.id, name="k", prefix="x", key_hash=str(number), scopes=[]))
    assert api.post(KEYS, json={"name": "k", "scopes": ["jobs:read"]}).status_code == 409
    api.delete(f"{KEYS}/{first['id']}")
    make(api)
