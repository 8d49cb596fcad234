"""A token that this installation did not issue, or that is good no more, is refused whatever it says."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from pynomaly.server.db import new_id
from pynomaly.server.secret import derive
from pynomaly.server.users import logins

Send = Callable[..., Any]
ME = "/api/v1/auth/me"


def encode(part: Any) -> str:
    """One part of a token."""
    raw = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: dict[str, Any], key: bytes, digest: str = "sha256") -> str:
    """A token with any header, signed with HMAC."""
    body = f"{encode(header)}.{encode(claims)}"
    return f"{body}.{encode(hmac.digest(key, body.encode(), digest))}"


@pytest.fixture
def key(world: Any) -> bytes:
    """The key that signs: even who has it gets in only with the right header and claims."""
    return derive(world.settings, "access tokens")


@pytest.fixture
def claims(world: Any) -> dict[str, Any]:
    """The claims of a good token."""
    headers, _ = world.bearer(world.user())
    good = headers["Authorization"].partition(" ")[2]
    found: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
    return found


HEADER = {"alg": "HS256", "typ": "JWT"}


def status(send: Send, token: str) -> int:
    """What a token gives."""
    return int(send("GET", ME, headers={"Authorization": f"Bearer {token}"}).status_code)


def test_a_good_one_gets_in(send: Send, key: bytes, claims: dict[str, Any]) -> None:
    """So that the refusals below are for what they say."""
    assert status(send, signed(HEADER, claims, key)) == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_unsigned_ones_are_refused(send: Send, claims: dict[str, Any], algorithm: str) -> None:
    body = f"{encode({'alg': algorithm, 'typ': 'JWT'})}.{encode(claims)}"
    for signature in ("", encode(b""), encode(b"x" * 32)):
        assert status(send, f"{body}.{signature}") == 401
    assert status(send, body) == 401


def test_other_algorithms_are_refused(send: Send, key: bytes, claims: dict[str, Any]) -> None:
    for name, digest in (("HS384", "sha384"), ("HS512", "sha512"), ("RS256", "sha256"), ("ES256", "sha256")):
        assert status(send, signed({"alg": name, "typ": "JWT"}, claims, key, digest)) == 401


def test_empty_and_guessed_keys_are_refused(send: Send, claims: dict[str, Any]) -> None:
    for key in (b"", b"secret", b"changeme", b"\0" * 32, hashlib.sha256(b"").digest()):
        assert status(send, signed(HEADER, claims, key)) == 401


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        {"jku": "http://127.0.0.1:1/keys.json"},
        {"x5u": "http://127.0.0.1:1/cert.pem"},
        {"kid": "../../../../dev/null"},
        {"kid": "' OR '1'='1"},
        {"cty": "JWT"},
        {"typ": "at+jwt"},
        {"zip": "DEF"},
    ],
    ids=str,
)
def test_headers_that_name_keys_or_extensions_are_refused(
    send: Send, key: bytes, claims: dict[str, Any], more: dict[str, Any]
) -> None:
    assert status(send, signed(HEADER | more, claims, key)) == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "other"},
        {"aud": ["other", "pynomaly-api-2"]},
        {"iss": "other"},
        {"typ": "refresh"},
        {"typ": None},
        {"exp": 1},
        {"exp": "never"},
        pytest.param({"exp": int(time.time()) - 1}, id="exp: a second ago"),
        pytest.param({"iat": int(time.time()) + 3600}, id="iat: in an hour"),
        pytest.param({"nbf": int(time.time()) + 3600}, id="nbf: in an hour"),
        {"sub": "00000000-0000-4000-8000-000000000000"},
        {"sid": "00000000-0000-4000-8000-000000000000"},
        {"sid": None},
        {"sub": {"$ne": None}},
    ],
    ids=str,
)
def test_wrong_claims_are_refused(
    send: Send, key: bytes, claims: dict[str, Any], wrong: dict[str, Any]
) -> None:
    assert status(send, signed(HEADER, claims | wrong, key)) == 401


@pytest.mark.parametrize("missing", ["exp", "iat", "iss", "aud", "sub", "jti", "typ", "sid"])
def test_missing_claims_are_refused(send: Send, key: bytes, claims: dict[str, Any], missing: str) -> None:
    assert status(send, signed(HEADER, {k: v for k, v in claims.items() if k != missing}, key)) == 401


def test_anothers_log_in_is_refused(world: Any, send: Send, key: bytes, claims: dict[str, Any]) -> None:
    """A token whose subject and log-in do not belong together."""
    assert status(send, signed(HEADER, claims | {"sub": world.user("admin").id}, key)) == 401


def test_every_changed_character_is_refused(send: Send, world: Any) -> None:
    headers, _ = world.bearer(world.user())
    token = headers["Authorization"].partition(" ")[2]
    for place in range(0, len(token) - 1, 7):
        other = "A" if token[place] != "A" else "B"
        assert status(send, token[:place] + other + token[place + 1 :]) == 401, place
    assert status(send, token + "." + new_id()) == 401
    assert status(send, "x" * 5000) == 401


def test_a_revoked_log_in_and_a_closed_account_are_refused_at_once(world: Any, send: Send) -> None:
    user = world.user()
    headers, login = world.bearer(user)
    other, _ = world.bearer(user)
    with world.database.session() as session:
        logins.revoke(session, login)
    assert send("GET", ME, headers=headers).status_code == 401
    assert send("GET", ME, headers=other).status_code == 200
    with world.database.session() as session:
        session.merge(user).active = False
    assert send("GET", ME, headers=other).status_code == 401
