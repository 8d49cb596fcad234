"""Files as answers: stored ones of which a part may be asked for, and those made for one request."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from pynomaly.errors import BadRange

SENT_AT_ONCE = 256 * 1024
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})|bytes=-(\d{1,18})")


class StoredFile(FileResponse):
    """A stored file, or one part of it; who asks for several parts gets the whole, as RFC 9110 allows."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; a `Range` that is not one part is as if it were not there."""
        kept = [(name, value) for name, value in scope["headers"] if name != b"range" or _is_one(value)]
        await super().__call__({**scope, "headers": kept}, receive, send)


def answers(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """Describe what a route answers that sends stored files, for its `responses`."""
    return {
        200: {"description": "The file.", "content": dict.fromkeys(media_types, _BYTES)},
        206: {"description": "A part (`Range`).", "content": dict.fromkeys(media_types, _BYTES)},
        416: {"description": "The file ends before the part that is asked for."},
    }


def stored(request: Request, path: Path, filename: str, media_type: str) -> StoredFile:
    """Answer with a stored file.

    Raises:
        BadRange: the part that is asked for begins after its end.
    """
    size = path.stat().st_size
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if found and (found[3] == "0" or (found[1] is not None and int(found[1]) >= size)):
        raise BadRange(f"The file has {size} bytes.", size=size)
    return StoredFile(path, media_type=media_type, headers={"Content-Disposition": _attached(filename)})


def made(path: Path, filename: str, media_type: str) -> StreamingResponse:
    """Answer with a file that was made for this request; it is gone afterwards, however that goes."""
    headers = {
        "Content-Length": str(path.stat().st_size),
        "Content-Disposition": _attached(filename),
    }
    return StreamingResponse(_chunks(path), media_type=media_type, headers=headers)


def text(content: str, filename: str, media_type: str) -> Response:
    """Answer with a small file of text."""
    headers = {"Content-Disposition": _attached(filename)}
    return Response(content.encode(), media_type=media_type, headers=headers)


def _chunks(path: Path) -> Iterator[bytes]:
    """Stream a file that is deleted at once: it stays readable until it is sent, or its reader is gone."""
    with path.open("rb") as file:
        path.unlink()
        while chunk := file.read(SENT_AT_ONCE):
            yield chunk


def _is_one(value: bytes) -> bool:
    found = _RANGE.fullmatch(value.decode("latin-1"))
    return found is not None and not (found[2] and int(found[2]) < int(found[1]))


def _attached(filename: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
