"""The gate in front of all routes: refuses requests that no route should have to think about."""

import re
from asyncio import Semaphore
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from pynomaly.errors import BadRequest, BadValue, CrossSite, PynomalyError, Unauthenticated
from pynomaly.server.web.body import LARGE, SMALL, LimitedBody, check_form, check_json, replay
from pynomaly.server.web.cookies import SESSION_COOKIE
from pynomaly.server.web.errors import respond
from pynomaly.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
PROGRAMS = ("/api/", "/v2/")
"""Where programs ask, with a token or key of their own, and no forms lead."""
LONG = 32 * 1024
"""A body that takes longer to check than the way to a thread and back."""
ROWS = re.compile(r"/api/v1/detection/score|/v2/models/.+/infer")
"""Where rows come to be scored, up to `LARGE`, from who may have them scored."""
LARGE_AT_ONCE = 4
BODY = "pynomaly.body"
"""Key of the ASGI scope under which a route finds its `LimitedBody`, to raise the limit."""


class Guard:
    """ASGI middleware against forged, malformed and outsized requests."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Guard `app`."""
        self._app = app
        self._patience = settings.body_timeout_seconds
        public = urlsplit(settings.base_url)
        self._public = f"{public.scheme}://{public.netloc}".lower() if public.netloc else ""
        self._turns = Semaphore(LARGE_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on; refusals are answered here, so that they get what every answer gets."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            checked = await self._check(scope, receive)
        except (PynomalyError, HTTPException) as error:
            await respond(Request(scope, receive), error)(scope, receive, send)
        else:
            async with self._turn(scope[BODY].size):
                await self._app(scope, checked, send)

    async def _check(self, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        check_address(scope, headers)
        if scope["method"] not in SAFE_METHODS and carries_a_browsers_trust(scope["path"], headers):
            check_origin(headers, self._public)
        body = LimitedBody(receive, _content_length(headers), patience=self._patience)
        scope[BODY] = body
        if body.may_be_large and scope["method"] == "POST" and ROWS.fullmatch(scope["path"]):
            await _take_rows(Request(scope, receive), body)
        return await self._checked(body, headers) or body

    async def _checked(self, body: LimitedBody, headers: Headers) -> Receive | None:
        """Read and check a body of a kind that must be read whole anyway."""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind == "application/json" or kind.endswith("+json")
        if not is_json and kind != "application/x-www-form-urlencoded":
            return None
        content = await body.read()
        if content:
            check = check_json if is_json else check_form
            if len(content) > LONG:
                async with self._turn(len(content)):
                    await run_in_threadpool(check, content)
            else:
                check(content)
        return replay(content or b"", body)

    def _turn(self, size: int) -> AbstractAsyncContextManager[Any]:
        """Wait: JSON that is read takes many times its size, so only a few large bodies are read at once."""
        return self._turns if size > SMALL else nullcontext()


async def _take_rows(request: Request, body: LimitedBody) -> None:
    """Let a body be large when it comes from who may have rows scored; of a stranger's nothing is read."""
    state = request.app.state
    try:
        caller = await state.callers.find(request)
    except Unauthenticated:
        state.rate_limits.charge_stranger(request)
        raise
    if "detections:write" in caller.permissions:
        body.limit = LARGE


def check_address(scope: Scope, headers: Headers) -> None:
    """Refuse a host that is no host, and NUL characters in the path or query."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
        raise BadRequest("The Host header is missing or malformed.")
    if "\x00" in scope["path"] or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
        raise BadValue("The address has a NUL character.")


def carries_a_browsers_trust(path: str, headers: Headers) -> bool:
    """Tell whether a browser may have been tricked into sending this: a form, or a cookie and no token."""
    by_cookie = SESSION_COOKIE in headers.get("cookie", "") and "authorization" not in headers
    return by_cookie or not path.startswith(PROGRAMS)


def check_origin(headers: Headers, public: str = "") -> None:
    """Refuse what another site made a browser send (CSRF), and what does not say where it comes from.

    `Sec-Fetch-Site` is believed first: pages cannot set it. Else the `Origin` must be this host's or the
    `public` one. `same-site` is refused too, since another application may live on a sister host.

    >>> check_origin(Headers({"origin": "https://evil.example", "host": "pynomaly.example"}))
    Traceback (most recent call last):
    pynomaly.errors.CrossSite: The request comes from another site, or does not say where it comes from.
    """
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        if fetch_site not in ("same-origin", "none"):
            raise CrossSite
        return
    host = headers["host"].lower()
    if headers.get("origin", "").lower() not in {f"http://{host}", f"https://{host}", public} - {""}:
        raise CrossSite


def _content_length(headers: Headers) -> int | None:
    value = headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None
