"""What a request's body may be: how large, and which JSON is good enough to be stored and given back."""

import json
import math
from asyncio import timeout
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from pynomaly.errors import BadRequest, BadValue
from pynomaly.settings import MIB

SMALL = MIB
"""Largest body of a route that does not ask for more."""
LARGE = 16 * MIB
"""Largest body of rows to be scored: a thousand of hundreds of columns."""
UPLOAD_SLACK = MIB
"""What a multipart body may need beside the file itself."""
LARGEST_INTEGER = 2**63 - 1
PATIENCE = 30.0
SLOWEST = 4096
"""Bytes per second of a body that come in at least."""


class LimitedBody:
    """An ASGI `receive` that stops when the body gets larger than `limit`, which a route may raise.

    Or slower than anyone sends on purpose: the next part must come within `patience` seconds, and all of
    it at `SLOWEST` after those.
    """

    def __init__(
        self, receive: Receive, content_length: int | None, limit: int = SMALL, patience: float = PATIENCE
    ) -> None:
        """Count what `receive` gives; a `content_length` above the limit is refused at once."""
        self.limit = limit
        self._receive = receive
        self._content_length = content_length
        self._size = 0
        self._patience = patience
        self._is_whole = content_length == 0
        self._began: float | None = None

    @property
    def size(self) -> int:
        """How much has come so far."""
        return self._size

    @property
    def may_be_large(self) -> bool:
        """Whether it is larger than `SMALL`, or does not say how large it is."""
        return self._content_length is None or self._content_length > SMALL

    async def __call__(self) -> Message:
        """Receive the next message; HTTPException 413 when the body is too large, 408 when it is too slow."""
        if (self._content_length or 0) > self.limit:
            raise self._too_large()
        message = await (self._receive() if self._is_whole else self._receive_in_time())
        self._size += len(message.get("body", b""))
        if self._size > self.limit:
            raise self._too_large()
        self._is_whole = not message.get("more_body", False)
        return message

    async def _receive_in_time(self) -> Message:
        now = monotonic()
        if self._began is None:
            self._began = now
        last = self._began + self._patience + self._size / SLOWEST
        try:
            async with timeout(max(0.0, min(self._patience, last - now))):
                return await self._receive()
        except TimeoutError as error:
            raise HTTPException(408, "The body came too slowly.", headers={"Connection": "close"}) from error

    async def read(self) -> bytes | None:
        """Read the whole body; None when the client went away."""
        chunks: list[bytes] = []
        while True:
            message = await self()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(chunks)

    def _too_large(self) -> HTTPException:
        """FastAPI passes this one on while it reads a body, where it would turn ours into a 400."""
        return HTTPException(413, f"The body is larger than {self.limit // MIB} MiB.")


def replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Make a `receive` that gives `body` and then what `receive` gives (the client going away)."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def check_json(body: bytes) -> None:
    """Refuse JSON that Python reads but that is not JSON, or that no database or answer could hold.

    Raises:
        BadRequest: it is not JSON, not UTF-8, or nested too deeply.
        BadValue: it has NaN or infinity, a number beyond float or 64-bit integers, a lone surrogate or a NUL.

    >>> check_json(b'{"contamination": 0.1}')
    >>> check_json(b'{"contamination": 1e400}')
    Traceback (most recent call last):
    pynomaly.errors.BadValue: The body has a number that is too large.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
        )
        if b"\\u" in body:
            _check_characters(value)
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error
    except ValueError as error:
        raise BadRequest("The body is not valid JSON in UTF-8.") from error


def check_form(body: bytes) -> None:
    """Refuse a form with a NUL character, which PostgreSQL cannot store."""
    if b"%00" in body or b"\x00" in body:
        raise BadValue("The form has a NUL character.")


def _no_constant(_name: str) -> NoReturn:
    raise BadValue("The body has NaN or infinity, which JSON does not have.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise BadValue("The body has a number that is too large.")
    return number


def _integer(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > LARGEST_INTEGER:
        raise BadValue("The body has a whole number beyond 64 bits.")
    return int(text)


def _check_characters(value: Any) -> None:
    """Only an escape can smuggle these in: the bytes themselves are UTF-8 by now."""
    text = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in text.replace("\\\\", ""):
        raise BadValue("The body has a NUL character.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadValue("The body has half a character (a lone surrogate).") from error
