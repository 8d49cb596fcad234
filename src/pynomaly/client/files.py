"""Files on their way: a multipart body straight from the disk, an answer's body straight to it."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import anyio.to_thread
import httpx

from pynomaly.client.flow import Progress
from pynomaly.errors import FileMissing, NotWritable


@contextmanager
def to_send(path: Path | None) -> Iterator[BinaryIO | None]:
    """Open the file of an upload, if there is one; raises FileMissing."""
    if path is None:
        yield None
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise FileMissing(f"Cannot read {str(path)!r}: {error.strerror or error}.") from error
    with file:
        yield file


class Counted(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A request's body that tells how much of it was sent, and reads the disk off the event loop."""

    def __init__(self, body: httpx.SyncByteStream, total: int, progress: Progress | None) -> None:
        """Wrap a body of `total` bytes."""
        self._body = body
        self._total = total
        self._progress = progress or _nobody

    def __iter__(self) -> Iterator[bytes]:
        """Give the parts; when the next one is asked for, the one before has been sent."""
        sent = 0
        for chunk in self._body:
            yield chunk
            sent += len(chunk)
            self._progress(sent, self._total)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the parts, each read in a thread."""
        sent, parts = 0, iter(self._body)
        while chunk := await anyio.to_thread.run_sync(next, parts, b""):
            yield chunk
            sent += len(chunk)
            self._progress(sent, self._total)


def _nobody(_sent: int, _total: int) -> None:
    """Hear of progress."""


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file that takes its place only when it is whole; raises NotWritable."""
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise NotWritable(f"Cannot write {str(path)!r}: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
