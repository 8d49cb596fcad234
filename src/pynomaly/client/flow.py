"""What the client does, written once: a flow yields what is to be sent or waited for and is given answers.

A flow is a generator that does nothing by itself. A driver carries it out: `drivers.Blocking` for `Client`,
`drivers.Awaiting` for `AsyncClient`.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Is called with the bytes sent and the bytes in all."""
Query: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Upload:
    """A file to be sent as `multipart/form-data` straight from the disk, with the form's other fields."""

    path: Path
    filename: str
    fields: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None


@dataclass(frozen=True)
class Call:
    """One request to the REST API, whoever asks and however often it has to be tried."""

    method: str
    path: str
    query: Query = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    upload: Upload | None = None
    save: Path | None = None
    """Write the answer's body here, at once and as a whole, instead of returning it."""
    once: bool = False
    """Done twice, it is not the same as done once."""

    @property
    def parameters(self) -> dict[str, str]:
        """The query in text; what is None is not sent."""
        return {name: _text(value) for name, value in self.query.items() if value is not None}

    @property
    def creates(self) -> bool:
        """Whether it goes with an Idempotency-Key, so that trying again cannot do it twice."""
        return self.method == "POST"

    @property
    def may_be_repeated(self) -> bool:
        """Whether trying again is right when it is not known if the first try had its effect."""
        return not self.once and "If-Match" not in self.headers  # its effect would look like another's


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""


@dataclass(frozen=True)
class Send:
    """Send this now. The flow is given a `Reply`, or `Unreachable` is raised in it."""

    call: Call
    headers: Mapping[str, str]
    seconds: float
    """How long it may take to connect, and how long the server may be silent."""


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Alone:
    """Run another flow while no other thread or task of the same client runs such a one."""

    flow: "Flow[None]"


Effect: TypeAlias = Send | Pause | Alone
Flow: TypeAlias = Generator[Effect, Any, T]


class Unreachable(Exception):
    """There was no answer; `sent` says whether the server may have got the request."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        """Keep why."""
        super().__init__(reason)
        self.sent = sent


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list, and how to ask for the next."""

    items: Sequence[T]
    next_cursor: str | None


Pages: TypeAlias = Callable[[str | None], Flow[Page[T]]]
"""Reads the page at a cursor; the first without one."""


def _text(value: Any) -> str:
    """Write a query parameter.

    >>> _text(True), _text(["id", "name"]), _text(3)
    ('true', 'id,name', '3')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return ",".join(map(_text, value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
