"""Multipart uploads: whatever way the body is cut up, the file is the file; and what is refused."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi import HTTPException, Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from pynomaly.errors import BadRequest, BadValue, PynomalyError
from pynomaly.server.datasets import upload
from pynomaly.server.storage import LocalStorage

KIND = "multipart/form-data; boundary=XX"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """One part of a form."""
    more = f'; filename="{filename}"' if filename is not None else ""
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{more}\r\nContent-Type: x/y\r\n\r\n'
    return head.encode() + content + b"\r\n"


def receive(home: Path, chunks: list[bytes], kind: str = KIND) -> tuple[bytes, upload.Upload]:
    """Receive a body that arrives in these chunks; the file's bytes and the upload."""
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1}
        for i, chunk in enumerate(chunks)
    ]

    async def next_message() -> Message:
        return messages.pop(0)

    async def run() -> tuple[bytes, upload.Upload]:
        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
        async with upload.received(Request(scope, next_message), LocalStorage(home)) as found:
            return found.path.read_bytes(), found

    try:
        return asyncio.run(run())
    finally:
        assert not list((home / "tmp").glob("*"))


@given(
    content=st.binary(max_size=3000)
    | st.just(b"\r\n--XX\r\n--X" * 50).map(lambda b: b.replace(b"--XX", b"--XY")),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_it_is_cut_up(tmp_path: Path, content: bytes, cuts: list[int]) -> None:
    """The file's bytes are those that were sent."""
    if b"--XX" in content:
        return
    body = part("name", "Zoë".encode()) + part("file", content, "a b.csv") + b"--XX--\r\n"
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    chunks = [body[a:b] for a, b in pairwise(edges)]
    found, sent = receive(tmp_path, chunks)
    assert found == content
    assert (sent.filename, sent.fields) == ("a b.csv", {"name": "Zoë"})


def test_a_large_file_is_written_while_it_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing larger than a chunk beyond the bound waits in memory."""
    monkeypatch.setattr(upload, "WRITTEN_AT_ONCE", 1000)
    content = bytes(range(256)) * 100
    body = part("file", content, "x") + b"--XX--\r\n"
    assert receive(tmp_path, [body[i : i + 700] for i in range(0, len(body), 700)])[0] == content


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", BadRequest),
        (part("file", b"x", "f"), BadRequest),
        (b"--XX--\r\n", BadValue),
        (part("name", b"x") + b"--XX--\r\n", BadValue),
        (part("file", b"x", "f") * 2 + b"--XX--\r\n", BadValue),
        (part("other", b"x") + part("file", b"x", "f") + b"--XX--\r\n", BadValue),
        (part("name", b"\xff") + part("file", b"x", "f") + b"--XX--\r\n", BadValue),
        (part("name", b"x" * 70_000) + part("file", b"x", "f") + b"--XX--\r\n", BadValue),
        (b"what is this", BadRequest),
        (b"--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--\r\n", BadValue),
    ],
)
def test_what_is_refused(tmp_path: Path, body: bytes, error: type[PynomalyError]) -> None:
    """Each with its error, and no file stays."""
    with pytest.raises(error):
        receive(tmp_path, [body])


@pytest.mark.parametrize("kind", ["text/csv", "multipart/form-data", "application/json; boundary=XX", ""])
def test_other_kinds_of_body(tmp_path: Path, kind: str) -> None:
    """415."""
    with pytest.raises(HTTPException) as caught:
        receive(tmp_path, [b""], kind)
    assert caught.value.status_code == 415
