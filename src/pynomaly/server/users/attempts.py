"""One attempt to sign in elsewhere: what binds the provider's answer to the browser that began.

The browser keeps a signed cookie for ten minutes. State, nonce and code verifier are derived from what it
holds and the installation's secret: the verifier never leaves the server until it goes to the provider.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

import jwt

from pynomaly.server.db import utc_now
from pynomaly.server.secret import derive
from pynomaly.server.users.tokens import new_opaque
from pynomaly.settings import Settings

LIFETIME = timedelta(minutes=10)
ALGORITHM = "HS256"
AUDIENCE = "pynomaly-sign-in"


@dataclass(frozen=True)
class Attempt:
    """A browser on its way to the provider and back."""

    key: bytes
    id: str
    next: str
    """Path to go to afterwards."""

    @property
    def state(self) -> str:
        """What the provider gives back with the code."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the ID token must name."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What PKCE (RFC 7636) asks for when the code is exchanged."""
        return self._derived("verifier")

    def sealed(self) -> str:
        """The cookie's value."""
        claims = {"aud": AUDIENCE, "jti": self.id, "next": self.next, "exp": utc_now() + LIFETIME}
        return jwt.encode(claims, self.key, ALGORITHM)

    def _derived(self, what: str) -> str:
        value = hmac.digest(self.key, f"{what}:{self.id}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(value).decode().rstrip("=")


def begin(settings: Settings, target: str) -> Attempt:
    """Begin an attempt that leads to the path `target`."""
    return Attempt(derive(settings, "sign-in"), new_opaque(), target)


def opened(settings: Settings, cookie: str) -> Attempt | None:
    """Read a cookie; None when it is none of ours, or too old."""
    key = derive(settings, "sign-in")
    try:
        claims = jwt.decode(
            cookie, key, [ALGORITHM], {"require": ["exp", "aud", "jti", "next"]}, audience=AUDIENCE
        )
    except (jwt.PyJWTError, ValueError):
        return None
    return Attempt(key, str(claims["jti"]), str(claims["next"]))
