"""The outermost layer: correlation id, security headers, the request's log line and metrics, the last net."""

import asyncio
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pynomaly.errors import Busy
from pynomaly.server.log import CONTROL
from pynomaly.server.metrics import Metrics
from pynomaly.server.origin import ORIGIN, Origin
from pynomaly.server.web.errors import respond
from pynomaly.server.web.routes import paths_by_endpoint
from pynomaly.settings import Settings

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UNWATCHED = ("/health", "/metrics", "/api/v1/health", "/api/v1/metrics", "/static")
"""Paths asked for all the time: their log lines are for debugging only."""
CLIENT_GONE = 499
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # "no-referrer" would make forms send "Origin: null"
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
log = structlog.get_logger("pynomaly.request")


class Edge:
    """ASGI middleware around everything else; nothing gets past it unanswered or unlogged."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        """Wrap `app`."""
        self._app = app
        self._metrics = metrics
        self._headers = dict(HEADERS)
        if settings.public_url.startswith("https://"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        self._paths: Mapping[Any, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send, self._headers)
        self._metrics.in_progress.inc()
        ORIGIN.set(_origin(scope, exchange.id))
        with structlog.contextvars.bound_contextvars(correlation_id=exchange.id):
            try:
                await self._run(exchange, receive)
            finally:
                self._metrics.in_progress.dec()
                self._note(exchange)

    async def _run(self, exchange: "_Exchange", receive: Receive) -> None:
        try:
            await self._app(exchange.scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.status = CLIENT_GONE
        except asyncio.CancelledError:  # the server stops, and has waited long enough for this request
            if exchange.has_begun:
                raise
            await _rescue(exchange, receive, Busy("The server is stopping: try again.", retry_after=10))
        except Exception as error:  # noqa: BLE001 - the last net: whatever it is, the client gets an answer
            await _rescue(exchange, receive, error)

    def _note(self, exchange: "_Exchange") -> None:
        scope, seconds = exchange.scope, time.perf_counter() - exchange.started
        route = self._route(scope)
        self._metrics.count_request(exchange.method, route, exchange.status, seconds)
        level = "debug" if scope["path"].startswith(UNWATCHED) and exchange.status < 500 else "info"
        getattr(log, level)(
            "request",
            method=exchange.method[:20],
            path=scope["path"][:500],
            route=route,
            status=exchange.status,
            ms=round(seconds * 1000, 2),
            user=scope["state"].get("user_id"),
        )

    def _route(self, scope: Scope) -> str:
        if not self._paths:
            self._paths = paths_by_endpoint(scope["app"])
        fallback = "/static" if scope["path"].startswith("/static/") else "unmatched"
        return self._paths.get(scope.get("endpoint", ""), fallback)


class _Exchange:
    """One request and what is known of its answer."""

    def __init__(self, scope: Scope, send: Send, headers: dict[str, str]) -> None:
        """Take HEAD as GET whose body is left out, so that every page answers it."""
        self.method: str = scope["method"]
        self.id = correlation_id_of(Headers(scope=scope))
        self.scope = dict(scope, method="GET") if self.method == "HEAD" else scope
        self.scope["state"] = {**scope.get("state", {}), "correlation_id": self.id}
        self.started = time.perf_counter()
        self.status = 500
        self.has_begun = False
        self._send = send
        self._headers = headers

    async def send(self, message: Message) -> None:
        """Send a part of the answer, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            self.status = message["status"]
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            headers["X-Request-ID"] = self.id
            if (allowance := self.scope["state"].get("allowance")) is not None:
                allowance.write(headers)
        elif self.method == "HEAD" and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


async def _rescue(exchange: _Exchange, receive: Receive, error: Exception) -> None:
    if exchange.has_begun:
        log.error("error after the answer had begun", exc_info=error)
        raise error  # the server closes the connection, so that the client sees a broken answer
    try:
        response = respond(Request(exchange.scope, receive), error)
    except Exception:
        log.exception("error page failed")
        plain = {**exchange.scope, "headers": []}  # who does not ask for HTML gets none
        response = respond(Request(plain, receive), error)
    await response(exchange.scope, receive, exchange.send)


def _origin(scope: Scope, id_: str) -> Origin:
    agent = CONTROL.sub("", Headers(scope=scope).get("user-agent", ""))
    return Origin((scope.get("client") or ("",))[0][:64], id_, agent[:200])


def correlation_id_of(headers: Headers) -> str:
    """The identifier that the request came with, or a new one."""
    given = headers.get("x-request-id", "")
    return given if SANE_ID.fullmatch(given) else uuid.uuid4().hex
