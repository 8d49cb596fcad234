"""No other site can make a visitor's browser act here: not by a form, a script, or a WebSocket."""

from collections.abc import Callable
from typing import Any

import pytest
from test_missing_auth import filled
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pynomaly.server.users import logins

Send = Callable[..., Any]
KINDS = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json",
)


@pytest.fixture
def cookie(world: Any) -> dict[str, str]:
    """The cookie of a browser that is logged in as an administrator."""
    with world.database.session() as session:
        value = logins.open_in_browser(session, world.user("admin"), days=1)
    return {"Cookie": f"pynomaly_session={value}"}


def forged(url: str) -> list[dict[str, str]]:
    """What a browser sends with a request that another site made it send."""
    host = url.removeprefix("http://")
    return [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://host.evil"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://sister.example.org"},
        {"Origin": "https://host.evil"},
        {"Origin": "null"},
        {"Origin": f"http://{host}.host.evil"},
        {"Origin": f"http://host.evil/{host}"},
        {"Origin": f"https://host.evil#{url}"},
        {"Origin": f"http://user@{host}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Referer": url},
        {},
    ]


def test_every_unsafe_method_of_every_route_is_refused(
    world: Any, send: Send, url: str, cookie: dict[str, str]
) -> None:
    unsafe = [(method, path) for method, path in world.routes() if method not in ("GET", "HEAD", "OPTIONS")]
    assert len(unsafe) > 30
    for method, path in unsafe:
        for headers in forged(url):
            for kind in KINDS:
                sent = cookie | headers | {"Content-Type": kind}
                answer = send(method, filled(path), headers=sent, content=b"{}")
                told = (method, path, headers, kind, answer.status_code)
                assert answer.status_code == 403, told
                assert "comes from another site" in answer.text, told


def test_our_own_pages_may(send: Send, url: str, cookie: dict[str, str]) -> None:
    """So that the refusals above are for where they come from."""
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": url}):
        answer = send("PATCH", "/api/v1/auth/me", headers=cookie | headers, json={"name": "Ada"})
        assert answer.status_code == 200, answer.text


def test_a_browsers_cookie_alone_opens_no_socket_elsewhere(url: str, cookie: dict[str, str]) -> None:
    address = url.replace("http", "ws") + "/ws"
    for headers in [one for one in forged(url) if "Origin" in one] + [{}]:
        with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=cookie | headers):
            pass
        assert refused.value.response.status_code == 403, headers
    with connect(address, additional_headers=cookie | {"Origin": url}) as socket:
        socket.send('{"subscribe": {"jobs": []}}')


def test_the_cookie_is_for_this_site_and_not_for_scripts(http: Any, world: Any) -> None:
    user = world.user()
    answer = http.post(
        "/login",
        data={"email": user.email, "password": "correct horse battery"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    http.cookies.clear()
    flags = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303
    assert "httponly" in flags
    assert "samesite=lax" in flags or "samesite=strict" in flags
    assert "path=/" in flags
    assert "domain" not in flags
