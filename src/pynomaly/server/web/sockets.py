"""The handshake of a WebSocket: checked as every request is, and refused with an answer that says why."""

from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from pynomaly.errors import CrossSite, PynomalyError
from pynomaly.server.web.cookies import SESSION_COOKIE
from pynomaly.server.web.edge import correlation_id_of
from pynomaly.server.web.errors import MEDIA_TYPE, problem_of
from pynomaly.server.web.guard import check_address
from pynomaly.settings import Settings

log = structlog.get_logger(__name__)


class SocketGuard:
    """ASGI middleware in front of every WebSocket; requests pass."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Guard `app`."""
        self._app = app
        public = urlsplit(settings.base_url)
        self._public = f"{public.scheme}://{public.netloc}".lower() if public.netloc else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the handshake, then pass on."""
        if scope["type"] == "websocket":
            try:
                check_handshake(scope, self._public)
            except PynomalyError as error:
                await deny(scope, receive, send, error)
                return
        await self._app(scope, receive, send)


def check_handshake(scope: Scope, public: str) -> None:
    """Refuse a host that is none, and a page of another site, which would use its visitor's cookie.

    Browsers send `Origin` with every handshake, and no page can change it. Who sends a cookie without it is
    no browser of ours; who sends neither is a program, which needs a token or an API key.
    """
    headers = Headers(scope=scope)
    check_address(scope, headers)
    origins = headers.getlist("origin")
    if not origins and SESSION_COOKIE not in headers.get("cookie", ""):
        return
    host = headers["host"].lower()
    own = {f"http://{host}", f"https://{host}", public} - {""}
    if len(origins) != 1 or origins[0].lower() not in own:
        raise CrossSite


async def deny(scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
    """Answer the handshake with a problem (RFC 9457) in place of a connection."""
    problem, id_ = problem_of(error), correlation_id_of(Headers(scope=scope))
    log.info("socket_refused", status=problem.status, code=problem.code, correlation_id=id_)
    socket = WebSocket(scope, receive, send)
    if "websocket.http.response" not in scope.get("extensions", {}):
        await socket.close()
        return
    fixed = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Request-ID": id_}
    answer = Response(problem.json(id_), problem.status, fixed | dict(problem.headers), MEDIA_TYPE)
    await socket.send_denial_response(answer)
