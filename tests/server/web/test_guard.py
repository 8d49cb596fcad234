"""Forged, malformed and outsized requests never reach a route."""

import select
import socket
import time
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from pynomaly.errors import CrossSite
from pynomaly.server.web.deps import AllowUpload
from pynomaly.server.web.guard import check_origin

pytestmark = pytest.mark.any_database

FORM = {"email": "ada@example.org", "password": "correct horse battery"}
FORGED = [
    {},
    {"Origin": "null"},
    {"Origin": "https://host.evil"},
    {"Origin": "http://127.0.0.1"},  # this host, but another port
    {"Origin": "http://127.0.0.1.host.evil"},
    {"Origin": "file://"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
]


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """The application, with a route that takes uploads."""

    async def take(request: Request) -> int:
        return len(await request.body())

    app.add_api_route("/api/v1/take", take, methods=["POST"], dependencies=[AllowUpload])
    app.add_api_route("/api/v1/take-little", take, methods=["POST"])
    return app


def test_forms_from_elsewhere_are_refused(client: httpx.Client) -> None:
    for path, headers in product(["/login", "/logout", "/setup", "/nothing"], FORGED):
        answer = client.post(path, data=FORM, headers=headers)
        assert answer.status_code == 403, (path, headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request"), (path, headers)


def test_api_calls_from_elsewhere_that_bring_the_cookie_are_refused(browser: httpx.Client) -> None:
    del browser.headers["Origin"]
    kinds = ["text/plain", "application/json", "application/x-www-form-urlencoded"]
    for headers, kind, method in product(FORGED, kinds, ["POST", "PUT", "PATCH", "DELETE"]):
        forged = {**headers, "Content-Type": kind}
        answer = browser.request(method, "/api/v1/auth/logout", content=b"{}", headers=forged)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request"), forged
    assert browser.get("/api/v1/auth/me").status_code == 200


def test_our_own_pages_may_call(browser: httpx.Client) -> None:
    del browser.headers["Origin"]
    for site in ("same-origin", "none"):
        assert browser.post("/login", data=FORM, headers={"Sec-Fetch-Site": site}).status_code == 303
        answer = browser.post("/api/v1/auth/logout", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 204


def test_a_token_needs_no_origin(api: httpx.Client) -> None:
    assert api.post("/api/v1/auth/logout").status_code == 204


def test_the_public_address_counts_as_this_host() -> None:
    headers = Headers({"origin": "https://pynomaly.example", "host": "10.0.0.7:8000"})
    check_origin(headers, "https://pynomaly.example")
    with pytest.raises(CrossSite):
        check_origin(headers)


@given(st.text(max_size=30))
def test_no_other_origin_passes(text: str) -> None:
    for origin in (
        text,
        f"https://{text}",
        f"https://pynomaly.example{text}",
        f"https://{text}pynomaly.example",
    ):
        sent = origin.encode("utf-8", "replace")
        if sent.lower() != b"https://pynomaly.example":
            with pytest.raises(CrossSite):
                check_origin(Headers(raw=[(b"host", b"pynomaly.example"), (b"origin", sent)]))


def raw(url: str, request: bytes) -> bytes:
    """Send bytes and return the answer's first line and headers."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def test_a_malformed_host_is_400(url: str) -> None:
    for host in (b"", b"a b", b"a@b", b"evil/path", b"a,b", b"[::1", b"a:b", b"a:999999", b"a?b", b"a#b"):
        answer = raw(url, b"GET /api/v1/health/live HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400"), host
    for host in (b"a", b"a.example:8000", b"[::1]:8000", b"127.0.0.1"):
        answer = raw(url, b"GET /api/v1/health/live HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), host


def test_an_unusual_host_is_never_repeated(url: str) -> None:
    request = b"GET /datasets HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\n\r\n"
    assert b"evil.example" not in raw(url, request)


def test_nul_characters_in_an_address_are_422(client: httpx.Client) -> None:
    for path in ("/api/v1/%00", "/api/v1/health?x=%00", "/login?next=%00"):
        assert client.get(path).json()["code"] == "bad_value"


def test_nul_characters_in_a_form_are_422(client: httpx.Client) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert client.post("/login", data={**FORM, "email": "a\0"}, headers=headers).json()["code"] == "bad_value"


def test_a_route_may_ask_for_larger_bodies(client: httpx.Client) -> None:
    body = b"x" * (3 * 2**20)
    assert client.post("/api/v1/take", content=body).json() == len(body)
    assert client.post("/api/v1/take-little", content=body).status_code == 413


def test_an_upload_has_a_limit_too(app: FastAPI, client: httpx.Client) -> None:
    app.state.settings.max_upload_mib = 2
    assert client.post("/api/v1/take", content=b"x" * (3 * 2**20)).status_code == 200
    assert client.post("/api/v1/take", content=b"x" * (3 * 2**20 + 1)).status_code == 413
    assert client.post("/api/v1/take", content=iter([b"x" * 2**20] * 4)).status_code == 413


def test_a_client_that_hangs_up_is_no_error(client: httpx.Client, url: str) -> None:
    for kind in (b"application/json", b"text/csv"):
        head = b"POST /api/v1/take HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nContent-Type: " + kind
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            connection.sendall(head + b"\r\n\r\n[1")
    assert client.get("/api/v1/health/live").status_code == 200


SLOW = (
    b"POST /api/v1/take HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: none\r\nContent-Length: 4000\r\n%s\r\n"
)


@pytest.mark.parametrize("kind", [b"", b"Content-Type: application/json\r\n"])
def test_a_body_that_stops_coming_is_given_up(app: FastAPI, url: str, kind: bytes) -> None:
    """Slowly dripping parts end too: all must come at a least speed."""
    guard = guard_of(app)
    guard._patience = 0.4
    address = urlsplit(url)
    began = time.monotonic()
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as connection:
        connection.sendall(SLOW % kind)
        for _ in range(100):
            try:
                connection.sendall(b"x")
            except OSError:
                break
            if select.select([connection], [], [], 0.05)[0]:  # what is sent after the answer may lose it
                break
        answer = b""
        while part := connection.recv(4000):  # head and body may come one by one
            answer += part
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request_timeout" in answer
    assert time.monotonic() - began < 4


def guard_of(app: FastAPI) -> Any:
    """The guard of an application that runs."""
    layer: Any = app.middleware_stack
    while type(layer).__name__ != "Guard":
        layer = getattr(layer, "_app", None) or layer.app
    return layer
