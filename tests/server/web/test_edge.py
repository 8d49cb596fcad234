"""Every answer has a correlation id and the security headers; every request is logged and counted once."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from pynomaly.server.log import configure
from pynomaly.server.web.app import create_app
from pynomaly.server.web.edge import Edge
from pynomaly.settings import Settings

pytestmark = pytest.mark.any_database

Lines = Callable[[int], list[dict[str, Any]]]
LOGGED_IN = {"path": "/api/v1/auth/login", "status": 200}


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """Wait until so many log lines have been written, and read them.

    The log-in of the fixture `api` is left out: its line is written after its answer, so now and then here.
    """
    configure(Settings(log_level="info"))
    written: list[dict[str, Any]] = []

    def read(number: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 20
        while len(written) < number and time.monotonic() < deadline:
            new = map(json.loads, capsys.readouterr().err.splitlines())
            written.extend(line for line in new if not line.items() >= LOGGED_IN.items())
        return written

    yield read
    configure(Settings(log_level="error"))


def test_every_answer_has_the_security_headers(client: httpx.Client) -> None:
    paths = [
        "/login",
        "/nothing",
        "/api/v1/health",
        "/api/v1/auth/me",
        "/static/icon.svg",
        "/api/v1/health?x=%00",
    ]
    for path in paths:
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "permissions-policy" in headers
        assert "server" not in headers
        assert "strict-transport-security" not in headers  # plain HTTP here
        assert headers.get_list("x-request-id") == [headers["x-request-id"]]


def test_with_tls_browsers_are_told_to_keep_to_it(settings: Settings) -> None:
    secure = create_app(settings.model_copy(update={"base_url": "https://pynomaly.example"}))
    edge = secure.build_middleware_stack()
    while type(edge).__name__ != "Edge":
        edge = edge.app  # type: ignore[attr-defined]
    assert "Strict-Transport-Security" in edge._headers  # type: ignore[attr-defined]
    secure.state.database.close()


def test_pages_are_not_kept_and_versioned_files_are(client: httpx.Client) -> None:
    assert client.get("/login").headers["cache-control"] == "no-store"
    assert client.get("/api/v1/health").headers["cache-control"] == "no-store"
    plain, versioned = client.get("/static/icon.svg"), client.get("/static/icon.svg?v=1")
    assert plain.headers["cache-control"] == "public, no-cache"
    assert versioned.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = client.get("/static/icon.svg", headers={"If-None-Match": plain.headers["etag"]})
    assert again.status_code == 304


def test_a_sane_request_id_is_taken_over_and_others_are_replaced(client: httpx.Client) -> None:
    for given, kept in (
        ("abc-1._Z", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("a\x1b[0m", False),
    ):
        answer = client.get("/nothing", headers={b"X-Request-ID": given.encode()})
        assert (answer.headers["x-request-id"] == given) is kept
        assert answer.json()["correlation_id"] == answer.headers["x-request-id"]


def test_a_request_is_one_json_line_whatever_it_holds(client: httpx.Client, lines: Lines) -> None:
    client.get("/api/v1/a%0d%0a%1b[31m{%22event%22:%22forged%22}%E2%80%A8?token=hunter2")
    client.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": "hunter2"})
    logged = lines(2)
    assert "hunter2" not in str(logged)
    assert [(line["method"], line["status"]) for line in logged] == [("GET", 404), ("POST", 401)]
    assert logged[0]["path"].startswith("/api/v1/a\r\n\x1b[31m")
    assert logged[0]["route"] == "unmatched"
    assert logged[1]["route"] == "/api/v1/auth/login"
    assert logged[0]["correlation_id"] != logged[1]["correlation_id"]
    assert all(line["ms"] > 0 and line["timestamp"].endswith("Z") for line in logged)


def test_the_person_and_the_failure_are_in_the_log(app: FastAPI, api: httpx.Client, lines: Lines) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    app.add_api_route("/api/v1/fail", fail)
    answer = api.get("/api/v1/fail")
    api.get("/api/v1/auth/me")
    failed, request, mine = lines(3)
    assert failed["code"] == "internal_error"
    assert 'raise RuntimeError("broken")' in failed["exception"]
    assert failed["correlation_id"] == request["correlation_id"] == answer.headers["x-request-id"]
    assert request["status"] == 500
    assert mine["user"] is not None


def test_health_checks_are_not_logged(client: httpx.Client, lines: Lines) -> None:
    client.get("/health")
    client.get("/nothing")
    assert [line["path"] for line in lines(1)] == ["/nothing"]


def test_requests_are_counted_by_route(log_in: Callable[..., httpx.Client]) -> None:
    api = log_in(role="admin")
    for path in ("/api/v1/datasets/1", "/api/v1/datasets/2", "/nothing/1", "/nothing/2"):
        api.get(path)
    api.request("BREW", "/nothing/3")
    deadline = time.monotonic() + 20
    text = ""
    while 'method="other"' not in text and time.monotonic() < deadline:
        text = api.get("/metrics").text
    counted = 'pynomaly_http_requests_total{method="GET",route="/api/v1/datasets/{id}",status="404"} 2.0'
    assert counted in text
    assert 'route="unmatched",status="404"} 2.0' in text
    assert "datasets/1" not in text
    assert 'pynomaly_http_request_seconds_count{method="GET",route="/api/v1/datasets/{id}"} 2.0' in text
    assert "pynomaly_http_requests_in_progress 1.0" in text


@pytest.mark.parametrize("begun", [False, True])
def test_a_request_that_outlasts_the_server_is_told_so(app: FastAPI, begun: bool) -> None:
    """A problem with `Retry-After`, unless the answer has begun: then the connection just closes."""
    sent = asyncio.run(_cancelled(app, begun))
    answer = [message for message in sent if message["type"] == "http.response.start"]
    if begun:
        assert [message["status"] for message in answer] == [200]
        assert b"busy" not in b"".join(message.get("body", b"") for message in sent)
    else:
        assert [message["status"] for message in answer] == [503]
        assert (b"retry-after", b"10") in [(name.lower(), value) for name, value in answer[0]["headers"]]
        assert json.loads(sent[1]["body"])["detail"] == "The server is stopping: try again."


async def _cancelled(app: FastAPI, begun: bool) -> list[Any]:
    """What `Edge` sends for a request whose task is cancelled, as uvicorn does when it stops."""
    waits = asyncio.Event()
    sent: list[Any] = []

    async def endless(_scope: Any, _receive: Any, send: Any) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        waits.set()
        await asyncio.Event().wait()

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/api/v1/x", "headers": [], "query_string": b""}
    edge = Edge(endless, app.state.settings, app.state.metrics)
    task = asyncio.create_task(edge({**scope, "app": app, "state": {}}, receive, send))
    await waits.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() is begun
    return sent
