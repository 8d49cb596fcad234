"""Who is asking: the live API key or log-in behind a request's credentials.

It is looked up for every request, so that revoking a key or log-in, changing a role or disabling an account
works at once. What was found is remembered for half a second, and forgotten with any commit of this process:
requests that follow closely cost no query, and another process's revocation counts within that half second.
"""

import hashlib
import time
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from pynomaly.errors import Unauthenticated
from pynomaly.server.db import Database
from pynomaly.server.users import keys, logins
from pynomaly.server.users.models import ApiKey, Login, User
from pynomaly.server.users.tokens import AccessTokens
from pynomaly.server.web.cookies import session_cookie
from pynomaly.settings import Settings

REMEMBERED_SECONDS = 0.5
MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Caller:
    """Who is asking, and through which log-in or API key; the rows are shared: they are only read."""

    user: User
    login: Login | None = None
    key: ApiKey | None = None

    @cached_property
    def permissions(self) -> frozenset[str]:
        """What may be asked for: what the role allows, and of that no more than the key's scopes."""
        granted: frozenset[str] = self.user.permissions
        return granted if self.key is None else granted & frozenset(self.key.scopes)


@dataclass(frozen=True)
class Credentials:
    """What a request shows: an API key, an access token, or a browser's cookie."""

    kind: str
    secret: str

    @classmethod
    def of(cls, request: HTTPConnection, settings: Settings) -> "Credentials":
        """Read them; Unauthenticated for two at once, or a scheme that is not ours."""
        key, authorization = request.headers.get("x-api-key"), request.headers.get("authorization")
        if key is not None and authorization is not None:
            raise Unauthenticated("Send an API key or an access token, not both.")
        if key is not None:
            return cls("key", key)
        if authorization is None:
            return cls("cookie", session_cookie(request, settings))
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Send the access token or API key as 'Authorization: Bearer …'.")
        token = token.strip()
        return cls("key" if token.startswith(keys.PREFIX) else "token", token)

    @property
    def digest(self) -> bytes:
        """By what they are remembered: not by the secret itself."""
        return hashlib.blake2b(f"{self.kind} {self.secret}".encode("utf-8", "surrogatepass")).digest()


class Callers:
    """Finds callers; one per application."""

    def __init__(self, database: Database, tokens: AccessTokens, settings: Settings) -> None:
        """Remember nobody yet."""
        self._database, self._tokens, self._settings = database, tokens, settings
        self._known: dict[bytes, tuple[float, int, Caller]] = {}

    async def find(self, request: HTTPConnection) -> Caller:
        """Find who sent the request; Unauthenticated when nobody known did.

        SQLite finds a row by its key without waiting for any writer, sooner than a thread would begin.
        """
        credentials = Credentials.of(request, self._settings)
        digest, commits = credentials.digest, self._database.commits
        until, when, caller = self._known.get(digest, (0.0, 0, None))
        if caller is not None and when == commits and time.monotonic() < until:
            return caller
        look = self._look_up
        caller = look(credentials) if self._database.is_sqlite else await run_in_threadpool(look, credentials)
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[digest] = (time.monotonic() + REMEMBERED_SECONDS, commits, caller)
        return caller

    def _look_up(self, credentials: Credentials) -> Caller:
        with self._database.session(write=False) as session:
            if credentials.kind == "key":
                return _by_key(session, credentials.secret)
            if credentials.kind == "token":
                return self._by_token(session, credentials.secret)
            return _by_login(logins.by_cookie(session, credentials.secret))

    def _by_token(self, session: Session, token: str) -> Caller:
        claims = self._tokens.read(token)
        caller = _by_login(logins.by_id(session, claims.login_id))
        if caller.user.id != claims.user_id:
            raise Unauthenticated
        return caller


def _by_key(session: Session, secret: str) -> Caller:
    found = keys.by_secret(session, secret)
    if found is None:
        raise Unauthenticated("The API key is unknown, expired or revoked.")
    return Caller(found[0], key=found[1])


def _by_login(found: tuple[User, Login] | None) -> Caller:
    if found is None:
        raise Unauthenticated
    return Caller(found[0], login=found[1])
