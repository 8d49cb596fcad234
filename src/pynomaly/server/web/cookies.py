"""The browser's session cookie, and where a person may be sent after logging in."""

import re
from urllib.parse import urlsplit

from fastapi import Request, Response

from pynomaly.server.web.guard import SESSION_COOKIE
from pynomaly.settings import Settings

LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")


def session_cookie(request: Request, settings: Settings) -> str:
    """The session cookie's value, "" when there is none."""
    return request.cookies.get(_name(settings), "")


def set_session_cookie(response: Response, settings: Settings, value: str) -> None:
    """Give the browser its cookie: no script reads it, no other site sends it along with a form."""
    response.set_cookie(
        _name(settings),
        value,
        max_age=settings.session_days * 86400,
        path="/",
        httponly=True,
        secure=_is_secure(settings),
        samesite="lax",
    )


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Take the cookie back."""
    response.delete_cookie(
        _name(settings), path="/", httponly=True, secure=_is_secure(settings), samesite="lax"
    )


def local_path(target: str) -> str:
    """Return `target` when it is a path on this server, else "/": nobody is sent to another site.

    >>> [local_path(target) for target in ("/datasets?page=2", "//evil.example", "https://evil.example")]
    ['/datasets?page=2', '/', '/']
    """
    if not LOCAL_PATH.fullmatch(target):
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc else target


def _name(settings: Settings) -> str:
    """With TLS, browsers take a `__Host-` cookie from this very host only, not from a sister host."""
    return f"__Host-{SESSION_COOKIE}" if _is_secure(settings) else SESSION_COOKIE


def _is_secure(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")
