"""The API's description as pages: Swagger UI to try it, Redoc to read it; nothing comes from another host."""

import secrets

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pynomaly.server.web.edge import CSP
from pynomaly.server.web.render import render
from pynomaly.server.web.threads import ThreadRoute

DESCRIPTION = "/api/v1/openapi.json"
SCROLL_BARS = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
)
"""The style sheet that Redoc makes before it has read the nonce: first empty, then filled."""
router = APIRouter(route_class=ThreadRoute)


@router.get("/docs", include_in_schema=False)
def swagger(request: Request) -> HTMLResponse:
    """Show the description with Swagger UI."""
    return render(request, "reference/swagger.html", url=DESCRIPTION)


@router.get("/redoc", include_in_schema=False)
def redoc(request: Request) -> HTMLResponse:
    """Show the description with Redoc; of inline styles those with this answer's nonce are let in."""
    nonce = secrets.token_urlsafe(16)
    page = render(request, "reference/redoc.html", url=DESCRIPTION, nonce=nonce)
    let_in = f"style-src 'self' 'nonce-{nonce}' {SCROLL_BARS}"
    page.headers["Content-Security-Policy"] = CSP.replace("style-src 'self'", let_in)
    return page
