"""Every answer, whatever it is, tells browsers to be careful, and nobody what serves it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from test_missing_auth import filled

from pynomaly.server.web.app import create_app
from pynomaly.server.web.edge import Edge
from pynomaly.settings import Settings

Send = Callable[..., Any]


def check(answer: Any, where: Any) -> None:
    """The headers of one answer."""
    headers = answer.headers
    assert "content-security-policy" in headers, where
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert "unsafe" not in headers["content-security-policy"], where
    assert policy["default-src"] == "'none'", where
    assert policy["script-src"] == "'self'", where
    assert policy["frame-ancestors"] == "'none'", where
    assert policy["base-uri"] == "'none'", where
    assert policy["form-action"] == "'self'", where
    assert "*" not in headers["content-security-policy"], where
    assert headers["x-content-type-options"] == "nosniff", where
    assert headers["referrer-policy"] in ("same-origin", "no-referrer"), where
    assert "camera=()" in headers["permissions-policy"], where
    assert headers["cross-origin-opener-policy"] == "same-origin", where
    assert headers["cross-origin-resource-policy"] == "same-origin", where
    assert "server" not in headers, where
    assert "x-powered-by" not in headers, where
    assert "cache-control" in headers, where


def test_every_answer_of_every_route_has_them(world: Any, send: Send) -> None:
    admin, _ = world.bearer(world.user("admin"))
    for method, path in world.routes():
        for headers in ({}, {"Accept": "text/html"}, admin):
            answer = send(method, filled(path), headers={"Sec-Fetch-Site": "same-origin"} | headers)
            check(answer, (method, path, answer.status_code))


def test_odd_answers_have_them_too(send: Send) -> None:
    for method, path, options in (
        ("GET", "/nothing", {}),
        ("GET", "/static/app.css", {}),
        ("GET", "/static/../app.py", {}),
        ("OPTIONS", "/api/v1/datasets", {}),
        ("BREW", "/api/v1/datasets", {}),
        ("POST", "/login", {"headers": {"Origin": "https://host.evil"}}),
        ("POST", "/api/v1/auth/login", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        ("GET", "/api/v1/datasets?x=%00", {}),
    ):
        check(send(method, path, **options), (method, path))


def test_what_is_somebodys_is_not_kept_by_caches(world: Any, send: Send) -> None:
    headers, _ = world.bearer(world.user())
    for path in ("/api/v1/auth/me", "/api/v1/datasets", "/login"):
        assert send("GET", path, headers=headers).headers["cache-control"] == "no-store"


def test_with_tls_browsers_are_told_to_stay_with_it() -> None:
    told = {}
    for address in ("https://pynomaly.example", "http://pynomaly.example"):
        app = create_app(Settings(home=Path("/nonexistent"), base_url=address))
        edge: Any = app.build_middleware_stack()
        while not isinstance(edge, Edge):
            edge = edge.app
        told[address] = edge._headers.get("Strict-Transport-Security")
        app.state.database.close()
    assert told == {
        "https://pynomaly.example": "max-age=31536000; includeSubDomains",
        "http://pynomaly.example": None,
    }


def test_the_command_itself_names_no_server(served: Any) -> None:
    """The server of the other tests is one of their own; this is `pynomaly serve`."""
    for path in ("/login", "/nothing", "/health", "/static/app.css"):
        answer = httpx.get(served.url + path, timeout=30)
        check(answer, (path, answer.status_code))
