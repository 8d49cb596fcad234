"""Answers are compressed for who can read it, when it pays, and keep flowing."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse

pytestmark = pytest.mark.any_database

LONG = {"text": "ab" * 4000}


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """The application, with answers of several kinds."""

    def stream() -> Iterator[bytes]:
        for number in range(50):
            yield json.dumps({"line": number, "pad": "x" * 500}).encode() + b"\n"

    app.add_api_route("/api/v1/long", lambda: LONG)
    app.add_api_route("/api/v1/short", lambda: {"a": 1})
    app.add_api_route(
        "/api/v1/stream", lambda: StreamingResponse(stream(), media_type="application/x-ndjson")
    )
    packed = gzip.compress(b"x" * 5000)
    for name, kind in (("parquet", "application/vnd.apache.parquet"), ("gz", "application/gzip")):
        app.add_api_route(f"/api/v1/{name}", lambda kind=kind: Response(packed * 40, media_type=kind))
    return app


def raw(client: httpx.Client, path: str, accepts: str) -> tuple[httpx.Headers, bytes]:
    """Get an answer as it came over the wire."""
    with client.stream("GET", path, headers={"Accept-Encoding": accepts}) as answer:
        return answer.headers, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        ("gzip", "gzip"),
        ("zstd, gzip", "zstd"),
        ("gzip;q=0.5, zstd;q=0", "gzip"),
        ("identity", None),
        ("x", None),
    ],
)
def test_long_answers_are_compressed_as_asked(
    client: httpx.Client, accepts: str, encoding: str | None
) -> None:
    headers, body = raw(client, "/api/v1/long", accepts)
    assert headers.get("content-encoding") == encoding
    assert "accept-encoding" in headers["vary"].lower()
    assert int(headers["content-length"]) == len(body)
    assert (len(body) < 500) is (encoding is not None)
    if encoding == "gzip":
        assert json.loads(gzip.decompress(body)) == LONG
    assert client.get("/api/v1/long", headers={"Accept-Encoding": accepts}).json() == LONG


def test_what_is_short_or_compressed_already_is_left_alone(client: httpx.Client) -> None:
    for path in ("/api/v1/short", "/api/v1/parquet", "/api/v1/gz"):
        headers, _ = raw(client, path, "gzip, zstd, br")
        assert "content-encoding" not in headers, path


def test_a_stream_stays_whole(client: httpx.Client) -> None:
    headers, _ = raw(client, "/api/v1/stream", "gzip")
    assert headers.get("content-encoding") == "gzip"
    lines = client.get("/api/v1/stream").text.splitlines()
    assert [json.loads(line)["line"] for line in lines] == list(range(50))


def test_head_tells_what_get_would(client: httpx.Client) -> None:
    """The same headers, no body."""
    asked: dict[str, Any] = {"headers": {"Accept-Encoding": "gzip"}}
    got, head = client.get("/api/v1/long", **asked), client.head("/api/v1/long", **asked)
    assert head.headers["content-encoding"] == got.headers["content-encoding"] == "gzip"
    assert head.content == b""
