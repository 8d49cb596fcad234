"""Nobody gets in without credentials, on no route and no WebSocket, however the address is written."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from rules import RULES
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

NIL = "00000000-0000-4000-8000-000000000000"
NONSENSE = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer null"},
    {"Authorization": "Basic YWRtaW46YWRtaW4="},
    {"X-API-Key": ""},
    {"X-API-Key": "pyn_"},
    {"Cookie": "pynomaly_session="},
    {"Cookie": "pynomaly_session=' OR 1=1 --"},
    {"X-Forwarded-User": "admin", "X-Remote-User": "admin", "X-Original-URL": "/health"},
]
HOSTS = ["127.0.0.1:8000", "evil.example", "localhost", "[::1]:8000"]


def filled(path: str) -> str:
    """A path with something in its places."""
    for place in ("{id}", "{id_}", "{name}"):
        path = path.replace(place, NIL)
    return (
        path.replace("{version}", "1")
        .replace("{alias}", "a")
        .replace("{row}", "0")
        .replace("{path:path}", "x")
    )


def ways(path: str) -> list[str]:
    """A path as people and proxies may write it."""
    return [
        path,
        path + "?x=1",
        "/" + path,
        path + "/",
        path.replace("/", "//", 2),
        path + ";x",
        path + "%00",
        path + "%2f",
        path.upper(),
        "/static/.." + path,
        path.replace("/api", "/./api").replace("/v2", "/./v2"),
    ]


def closed(world: Any) -> list[tuple[str, str]]:
    """All routes but those of the short list."""
    open_ = {name for name, rule in RULES.items() if rule is None}
    return [(method, path) for method, path in world.routes() if f"{method} {path}" not in open_]


def test_the_list_of_open_routes_is_short(world: Any) -> None:
    assert sum(rule is None for rule in RULES.values()) <= 27
    assert len(closed(world)) > 60


def test_strangers_are_asked_to_log_in_everywhere(world: Any, send: Callable[..., Any]) -> None:
    for method, path in closed(world):
        for headers in NONSENSE:
            answer = send(method, filled(path), headers={"Sec-Fetch-Site": "same-origin"} | headers)
            assert answer.status_code == 401, (method, path, headers, answer.status_code, answer.text[:200])
            assert answer.headers["www-authenticate"] == 'Bearer realm="pynomaly"'


def test_odd_spellings_and_hosts_open_nothing(world: Any, send: Callable[..., Any]) -> None:
    for method, path in closed(world):
        for odd in ways(filled(path)):
            answer = send(method, odd, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code in (400, 401, 404, 405, 422), (method, odd, answer.status_code)
        for host in HOSTS:
            headers = {"Host": host, "Sec-Fetch-Site": "same-origin"}
            answer = send(method, filled(path), headers=headers)
            assert answer.status_code == 401, (method, path, host)


def test_other_methods_open_nothing(world: Any, send: Callable[..., Any]) -> None:
    paths = {path for _, path in closed(world)}
    for path in paths:
        for method in ("HEAD", "TRACE", "CONNECT", "PROPFIND", "get"):
            answer = send(method, filled(path), headers={"X-HTTP-Method-Override": "GET"})
            assert answer.status_code in (401, 403, 405), (method, path)


def test_sockets_are_closed_to_strangers(world: Any, url: str) -> None:
    paths = [str(route.path) for route in iter_route_contexts(world.app.routes) if is_socket(route)]
    assert paths == ["/ws"]
    for path in paths:
        for headers in NONSENSE[:9]:
            address = url.replace("http", "ws") + path
            with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=headers):
                pass
            assert refused.value.response.status_code == (403 if "Cookie" in headers else 401), headers


def is_socket(route: Any) -> bool:
    """Tell whether a route is a WebSocket's."""
    return "WebSocket" in type(route.original_route).__name__
