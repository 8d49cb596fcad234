"""The tokens people carry: signed access tokens (JWT) for minutes; opaque random ones, stored hashed."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import jwt

from pynomaly.errors import Unauthenticated
from pynomaly.server.db import new_id, utc_now
from pynomaly.server.secret import derive
from pynomaly.settings import Settings

ALGORITHM = "HS256"
ISSUER = "pynomaly"
AUDIENCE = "pynomaly-api"
KIND = "access"
CLAIMS = ["exp", "iat", "iss", "aud", "sub", "jti", "typ", "sid"]
MAX_LENGTH = 2048


@dataclass(frozen=True)
class Claims:
    """Who carries the token and from which log-in it comes; both are looked up at every request."""

    user_id: str
    login_id: str


class AccessTokens:
    """Issues and reads access tokens with the key of one installation."""

    def __init__(self, settings: Settings) -> None:
        """Derive the key once; its secret is read or made now."""
        self._key = derive(settings, "access tokens")
        self.seconds = settings.access_token_minutes * 60
        self._header = jwt.encode({}, self._key, ALGORITHM).partition(".")[0]

    def issue(self, user_id: str, login_id: str) -> str:
        """Sign a token for a log-in of a user."""
        now = utc_now()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": login_id,
            "jti": new_id(),
            "typ": KIND,
            "iat": now,
            "exp": now + timedelta(seconds=self.seconds),
        }
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, token: str) -> Claims:
        """Check the signature and every claim; Unauthenticated when anything is amiss.

        The header must be the very one that `issue` writes, so that no other algorithm, key or extension
        named there (`alg`, `jwk`, `jku`, `kid`, `crit`) is ever looked at.
        """
        if len(token) > MAX_LENGTH or token.partition(".")[0] != self._header:
            raise Unauthenticated("The access token is not one of ours.")
        try:
            claims = jwt.decode(
                token, self._key, [ALGORITHM], {"require": CLAIMS}, audience=AUDIENCE, issuer=ISSUER
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The access token has expired: refresh it, or log in again.") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise Unauthenticated("The access token is not one of ours.") from error
        if claims["typ"] != KIND:
            raise Unauthenticated("This is not an access token.")
        return Claims(user_id=str(claims["sub"]), login_id=str(claims["sid"]))


def new_opaque(prefix: str = "") -> str:
    """Make an unguessable token of 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of an opaque token: its SHA-256, which is enough since it cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
