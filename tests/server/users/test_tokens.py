"""Access tokens are ours, whole, unexpired and of the one algorithm, or nothing."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynomaly.errors import Unauthenticated
from pynomaly.server.db import utc_now
from pynomaly.server.secret import derive
from pynomaly.server.users.tokens import AccessTokens, Claims, digest, new_opaque
from pynomaly.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
SETTINGS = Settings(secret_key=SECRET)
TOKENS = AccessTokens(SETTINGS)
KEY = derive(SETTINGS, "access tokens")
Forge = Callable[..., str]


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, with changes (None: left out)."""
    now = utc_now()
    good = {
        "iss": "pynomaly",
        "aud": "pynomaly-api",
        "sub": "u",
        "sid": "l",
        "jti": "j",
        "typ": "access",
        "iat": now,
        "exp": now + timedelta(minutes=1),
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def part(value: object) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_what_was_issued_is_read() -> None:
    token = TOKENS.issue("user", "login")
    assert TOKENS.read(token) == Claims("user", "login")
    assert TOKENS.read(jwt.encode(claims(), KEY)) == Claims("u", "l")
    assert token != TOKENS.issue("user", "login")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "else"},
        {"aud": "else"},
        {"aud": ["else"]},
        {"typ": "refresh"},
        {"sub": 3},
        {"exp": 1},
        {"exp": "soon"},
        {"iat": utc_now() + timedelta(hours=1)},
        *({name: None} for name in ("exp", "iat", "iss", "aud", "sub", "jti", "typ", "sid")),
    ],
)
def test_every_claim_is_required_and_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(jwt.encode(claims(**changes), KEY))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "HS256"},
        {"alg": "HS256", "typ": "JWT", "crit": ["x"], "x": 1},
        {"alg": "HS256", "typ": "JWT", "jwk": {"kty": "oct", "k": "AA"}},
        {"alg": "HS256", "typ": "JWT", "jku": "https://host.evil/keys"},
        {"alg": "HS256", "typ": "JWT", "kid": "../../dev/null"},
    ],
)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_no_other_header_is_looked_at(header: dict[str, Any]) -> None:
    body = part({**claims(), "iat": 1, "exp": 4_000_000_000})
    for signature in ("", part("x"), TOKENS.issue("u", "l").rpartition(".")[2]):
        with pytest.raises(Unauthenticated):
            TOKENS.read(f"{part(header)}.{body}.{signature}")
    if header["alg"].startswith("HS"):  # rightly signed, and still not ours
        extra = {name: value for name, value in header.items() if name not in ("alg", "typ")}
        algorithm, typ = header["alg"], {} if "typ" in header else {"typ": None}
        with pytest.raises(Unauthenticated):
            TOKENS.read(jwt.encode(claims(), KEY, algorithm, headers={**extra, **typ}))


def test_no_other_key_is_accepted(tmp_path: Path) -> None:
    for key in (
        SECRET.encode(),
        b"\0" * 32,
        derive(SETTINGS, "models"),
        derive(Settings(home=tmp_path), "x"),
    ):
        with pytest.raises(Unauthenticated):
            TOKENS.read(jwt.encode(claims(), key))


@given(st.text(max_size=200), st.integers(0, 400))
def test_mutations_and_noise_are_refused(noise: str, position: int) -> None:
    token = TOKENS.issue("u", "l")
    position %= len(token)
    for bad in (
        noise,
        token[:position],
        token + noise + "x",
        f"{token[:position]}{noise}!{token[position:]}",
    ):
        with pytest.raises(Unauthenticated):
            TOKENS.read(bad)


def test_opaque_tokens_differ_and_only_their_digest_is_kept() -> None:
    tokens = {new_opaque("pynr_") for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.startswith("pynr_") and len(token) == 48 for token in tokens)
    assert {len(digest(token)) for token in tokens} == {64}
    assert digest("\ud800")
