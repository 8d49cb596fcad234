"""Everything between a call and its answer: credentials, tries, and errors; as flows, for both clients."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pynomaly.client.errors import ConnectionFailed, UnexpectedAnswer, error_of
from pynomaly.client.flow import Alone, Call, Flow, Pause, Reply, Send, Unreachable
from pynomaly.client.retry import AGAIN, REFUSED, Retry
from pynomaly.version import __version__

EARLY = 15.0
"""Seconds before its end at which an access token is renewed."""
AGENT = {"User-Agent": f"pynomaly/{__version__}", "Accept": "application/json, */*;q=0.5"}


@dataclass(frozen=True)
class Key:
    """An API key."""

    secret: str = field(repr=False)


@dataclass(frozen=True)
class Password:
    """A person's log-in."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Tokens:
    """What a log-in has given."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    until: float


class Conversation:
    """One client's side: who is asking, and how patiently."""

    def __init__(
        self,
        credentials: Key | Password | None,
        retry: Retry,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Say who asks; nothing is sent yet."""
        self._credentials = credentials
        self._retry = retry
        self._timeout = timeout
        self._clock = clock
        self._tokens: Tokens | None = None

    def exchange(self, call: Call) -> Flow[Reply]:
        """Send a call with credentials, and again where that helps.

        Raises:
            ApiError: the server refused it, or failed.
            ConnectionFailed: the server cannot be reached.
        """
        key = {"Idempotency-Key": str(uuid.uuid4())} if call.creates else {}
        authorization = yield from self._authorization()
        reply = yield from self._tried(call, key | authorization)
        if reply.status == 401 and self._tokens is not None:  # they may have ended early
            yield Alone(self._renew(authorization))
            reply = yield from self._tried(call, key | (yield from self._authorization()))
        return _checked(reply)

    def log_out(self) -> Flow[None]:
        """End the log-in, if there is one."""
        if self._tokens is None:
            return
        ended, self._tokens = self._tokens, None
        reply = yield from self._tried(Call("POST", "/auth/logout"), _bearer(ended), tries=1)
        if reply.status != 401:  # it has ended already
            _checked(reply)

    def _authorization(self) -> Flow[dict[str, str]]:
        """Give the header that says who asks, logging in or renewing the log-in where it is time to."""
        if isinstance(self._credentials, Key):
            return {"X-API-Key": self._credentials.secret}
        if self._credentials is None:
            return {}
        if self._tokens is None or self._clock() >= self._tokens.until:
            yield Alone(self._renew({} if self._tokens is None else _bearer(self._tokens)))
        assert self._tokens is not None  # else `_renew` has raised
        return _bearer(self._tokens)

    def _renew(self, stale: dict[str, str]) -> Flow[None]:
        """Get new tokens, unless somebody else did while we waited for our turn."""
        if self._tokens is not None and _bearer(self._tokens) != stale:
            return
        if self._tokens is not None:
            body = {"refresh_token": self._tokens.refresh}
            reply = yield from self._tried(Call("POST", "/auth/refresh", body=body), {})
            if reply.status != 401:
                self._tokens = self._read(_checked(reply))
                return
        assert isinstance(self._credentials, Password)  # only a log-in has tokens
        body = {"email": self._credentials.email, "password": self._credentials.password}
        reply = yield from self._tried(Call("POST", "/auth/login", body=body), {})
        self._tokens = self._read(_checked(reply))

    def _read(self, reply: Reply) -> Tokens:
        given = decoded(reply)
        try:
            until = self._clock() + max(0.0, float(given["expires_in"]) - EARLY)
            return Tokens(given["access_token"], given["refresh_token"], until)
        except (KeyError, TypeError) as error:
            raise UnexpectedAnswer from error

    def _tried(self, call: Call, headers: dict[str, str], tries: int | None = None) -> Flow[Reply]:
        """Send a call until there is an answer that another try would not better."""
        begin, tries = self._clock(), tries or self._retry.tries
        unsure = False  # whether an earlier try may have had its effect
        for tried in range(1, tries + 1):
            last = tried == tries
            try:
                reply: Reply = yield Send(call, AGENT | dict(call.headers) | headers, self._seconds(begin))
            except Unreachable as error:
                pause = self._retry.pause(tried)
                unsure = unsure or error.sent
                if last or self._too_late(begin, pause) or (error.sent and not call.may_be_repeated):
                    raise ConnectionFailed(f"{call.method} {call.path}: {error}") from error
            else:
                if call.method == "DELETE" and reply.status == 404 and unsure:
                    return Reply(204, reply.headers)  # it was us
                pause = self._retry.after(reply, tried)
                if last or self._too_late(begin, pause) or not _again(call, reply, unsure):
                    return reply
                unsure = unsure or reply.status not in REFUSED
            yield Pause(pause)
        raise AssertionError("the last try returns or raises")

    def _seconds(self, begin: float) -> float:
        """How long one try may be silent: never past the deadline of all."""
        return max(1.0, min(self._timeout, begin + self._retry.deadline - self._clock()))

    def _too_late(self, begin: float, pause: float) -> bool:
        return self._clock() + pause - begin > self._retry.deadline


def _again(call: Call, reply: Reply, unsure: bool) -> bool:
    """Tell whether this answer is a reason to ask once more."""
    if reply.status == 409:  # our own first try is still being carried out
        return unsure and call.creates and "retry-after" in reply.headers
    return reply.status in AGAIN and (reply.status in REFUSED or call.may_be_repeated)


def _bearer(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access}"}


def _checked(reply: Reply) -> Reply:
    """Give an answer that is none of an error; raises what it says otherwise."""
    if reply.status >= 400:
        raise error_of(reply)
    if reply.status >= 300 and reply.status != 304:
        to = reply.headers.get("location", "elsewhere")
        raise UnexpectedAnswer(f"The server sends us to {to}: name that one, if it is yours.")
    return reply


def decoded(reply: Reply) -> dict[str, Any]:
    """Read an answer's JSON object; raises UnexpectedAnswer when it is none."""
    try:
        found = json.loads(reply.content)
    except ValueError as error:
        raise UnexpectedAnswer from error
    if not isinstance(found, dict):
        raise UnexpectedAnswer
    return found
