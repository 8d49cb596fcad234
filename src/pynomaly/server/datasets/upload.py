"""Read an uploaded file out of a multipart body straight into a temporary file, in constant memory."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from pynomaly.errors import BadRequest, BadValue
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import MIB

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILE = "file"
FIELDS = ("name", "label_column", "types", "dialect", "preview")
MAX_FIELD_BYTES = 64 * 1024
WRITTEN_AT_ONCE = MIB


@dataclass
class Upload:
    """One uploaded file: where it is, what its sender calls it, and the form's other fields."""

    path: Path
    filename: str
    fields: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def received(
    request: Request, storage: LocalStorage, fields: Collection[str] = FIELDS
) -> AsyncIterator[Upload]:
    """Receive the upload; its file is deleted afterwards unless the storage has adopted it.

    `fields` names the form's parts beside the file.

    Raises:
        HTTPException: 415 when the body is not multipart, 413 when it is too large.
        BadRequest: the body is cut short or malformed.
        BadValue: there is no part `file`, or one that is not known.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise HTTPException(415, "Send the file as multipart/form-data, in a part named 'file'.")
    path = storage.temp(".upload")
    try:
        with path.open("xb") as file:
            form = _Form(file, fields)
            await _read(request, form, boundary)
        yield form.upload(path)
    finally:
        path.unlink(missing_ok=True)


async def _read(request: Request, form: "_Form", boundary: bytes) -> None:
    """Parse the body as it arrives; the disk never holds up the event loop."""
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for chunk in request.stream():
            parser.write(chunk)
            if len(form.waiting) >= WRITTEN_AT_ONCE:
                await run_in_threadpool(form.flush)
        parser.finalize()
    except FormParserError as error:
        raise BadRequest("The multipart body is malformed.") from error
    await run_in_threadpool(form.flush)


class _Form:
    """What the parser tells, part by part."""

    def __init__(self, file: BinaryIO, known: Collection[str]) -> None:
        """Collect into `file` what the part `file` holds."""
        self._known = known
        self.waiting = bytearray()
        self._file = file
        self._filename: str | None = None
        self._fields: dict[str, bytearray] = {}
        self._ended = False
        self._headers: dict[bytes, bytes] = {}
        self._header = (bytearray(), bytearray())
        self._target = self.waiting

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser is to call."""
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def flush(self) -> None:
        """Write to the disk what has come in."""
        self._file.write(self.waiting)
        self.waiting.clear()

    def upload(self, path: Path) -> Upload:
        """Give what was received, once all of it has been."""
        if not self._ended:
            raise BadRequest("The multipart body is cut short.")
        if self._filename is None:
            raise BadValue("There is no part named 'file'.", pointer="#/file")
        return Upload(path, self._filename, {name: _text(name, raw) for name, raw in self._fields.items()})

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _open(self) -> None:
        """Begin a part, now that its name is known."""
        disposition = self._headers.get(b"content-disposition", b"").decode("latin-1")
        options = parse_options_header(disposition)[1]
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name == FILE and self._filename is None:
            self._filename = options.get(b"filename", b"").decode("utf-8", "replace")
            self._target = self.waiting
        elif name in self._known and name not in self._fields:
            self._target = self._fields[name] = bytearray()
        else:
            raise BadValue(f"The form has a part {name[:100]!r} that is not known, or is there twice.")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._target += memoryview(data)[start:end]
        if self._target is not self.waiting and len(self._target) > MAX_FIELD_BYTES:
            raise BadValue("A field of the form is too long.")

    def _end(self) -> None:
        self._ended = True


def _text(name: str, raw: bytearray) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadValue(f"The field {name!r} is not UTF-8.", pointer=f"#/{name}") from error
