"""A dump of the database lets nobody in: whatever opens something is stored hashed, or not at all."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url, select

from pynomaly.server.db import Database
from pynomaly.server.users import first
from pynomaly.server.users.models import ApiKey, Login, OneTimeLink, RefreshToken, User
from pynomaly.settings import Settings

MakeUser = Callable[..., User]
PASSWORD = "canary password one"
NEW = "canary password two"
AUTH = "/api/v1/auth"
pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def dump(settings: Settings) -> str:
    """The whole database as text, and its files' bytes: what was deleted may still be in them."""
    path = Path(str(make_url(settings.url).database))
    connection = sqlite3.connect(path)
    text = "\n".join(connection.iterdump())
    files = [path.read_bytes(), path.with_name(f"{path.name}-wal").read_bytes()]
    connection.close()
    return text + "".join(content.decode("latin-1") for content in files)


def test_no_secret_is_in_the_database(
    settings: Settings, database: Database, client: httpx.Client, url: str
) -> None:
    """Do everything that has a secret, well and badly, and look for every one of them."""
    with database.session() as session:
        link = first.ensure(session, settings)
    assert link is not None
    canaries = {"set-up link": link.partition("token=")[2], "password": PASSWORD, "new password": NEW}
    form = {"token": canaries["set-up link"], "email": "root@example.org", "password": PASSWORD}
    browser = httpx.Client(base_url=url, headers={"Origin": url, "Accept": "text/html"}, timeout=30)
    with browser:
        assert browser.post("/setup", data=form).status_code == 303
        canaries["cookie"] = browser.cookies["pynomaly_session"]
    tokens = client.post(f"{AUTH}/login", json={"email": "root@example.org", "password": PASSWORD}).json()
    canaries["access token"], canaries["refresh token"] = tokens["access_token"], tokens["refresh_token"]
    next_tokens = client.post(f"{AUTH}/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    canaries["next refresh token"] = next_tokens["refresh_token"]
    client.headers["Authorization"] = f"Bearer {next_tokens['access_token']}"
    key = client.post(
        f"{AUTH}/api-keys",
        json={"name": "k", "scopes": ["jobs:read"]},
        headers={"Idempotency-Key": "canary idempotency key"},
    ).json()
    canaries["API key"], canaries["idempotency key"] = key["key"], "canary idempotency key"
    rotated = client.post(f"{AUTH}/api-keys/{key['id']}/rotate", json={"overlap_minutes": 5}).json()
    canaries["rotated key"] = rotated["key"]
    account = {"email": "ada@example.org", "password": "canary password three"}
    ada = client.post("/api/v1/admin/users", json=account, headers={"Idempotency-Key": "x"}).json()
    canaries["account's password"] = "canary password three"
    reset = client.post(
        f"/api/v1/admin/users/{ada['id']}/password-reset", headers={"Idempotency-Key": "y"}
    ).json()
    canaries["reset link"] = reset["url"].partition("token=")[2]
    body = {"current_password": "canary wrong password", "new_password": NEW}
    assert client.post(f"{AUTH}/password", json=body).status_code == 403
    canaries["wrong password"] = "canary wrong password"
    body["current_password"] = PASSWORD
    assert client.post(f"{AUTH}/password", json=body).status_code == 204
    client.post(f"{AUTH}/login", json={"email": "canary typed as address", "password": "canary typed"})
    canaries |= {"typed address": "canary typed as address", "typed password": "canary typed"}
    found = dump(settings)
    assert "root@example.org" in found
    for name, canary in canaries.items():
        assert canary not in found, name
        assert canary[-20:] not in found, name


def test_what_is_stored_opens_nothing(
    settings: Settings, database: Database, client: httpx.Client, make_user: MakeUser
) -> None:
    make_user()
    body = {"email": "ada@example.org", "password": "correct horse battery"}
    tokens = client.post(f"{AUTH}/login", json=body).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    key = client.post(f"{AUTH}/api-keys", json={"name": "k", "scopes": ["account:read"]}, headers=bearer)
    client.post("/login", data=body, headers={"Origin": str(client.base_url).rstrip("/")})
    client.cookies.clear()
    real = {"X-API-Key": key.json()["key"]}
    assert client.get(f"{AUTH}/me", headers=real).status_code == 200
    with database.session(write=False) as session:
        hashes = [
            *session.scalars(select(RefreshToken.token_hash)),
            *session.scalars(select(ApiKey.key_hash)),
            *session.scalars(select(Login.cookie_hash).where(Login.cookie_hash.is_not(None))),
            *session.scalars(select(Login.id)),
            *session.scalars(select(OneTimeLink.token_hash)),
        ]
    stored = json.dumps(dump(settings))
    hashes += re.findall(r"\b[0-9a-f]{64}\b", stored)
    for value in {*hashes, f"pynr_{hashes[0]}", f"pyn_{hashes[1]}", key.json()["prefix"]}:
        for headers in (
            {"X-API-Key": value},
            {"Authorization": f"Bearer {value}"},
            {"Cookie": f"pynomaly_session={value}"},
        ):
            assert client.get(f"{AUTH}/me", headers=headers).status_code == 401
        refreshed = client.post(f"{AUTH}/refresh", json={"refresh_token": value})
        assert refreshed.status_code == 401
