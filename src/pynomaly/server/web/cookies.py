"""The browser's cookies, and where a person may be sent after logging in."""

import re
from urllib.parse import urlsplit

from fastapi import Response
from starlette.requests import HTTPConnection

from pynomaly.settings import Settings

SESSION_COOKIE = "pynomaly_session"
LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")


def session_cookie(request: HTTPConnection, settings: Settings) -> str:
    """The session cookie's value, "" when there is none."""
    return cookie(request, settings, SESSION_COOKIE)


def set_session_cookie(response: Response, settings: Settings, value: str) -> None:
    """Give the browser its session."""
    set_cookie(response, settings, SESSION_COOKIE, value, settings.session_days * 86400)


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Take the session back."""
    clear_cookie(response, settings, SESSION_COOKIE)


def cookie(request: HTTPConnection, settings: Settings, name: str) -> str:
    """A cookie's value, "" when there is none."""
    return request.cookies.get(_name(settings, name), "")


def set_cookie(response: Response, settings: Settings, name: str, value: str, seconds: int) -> None:
    """Give the browser a cookie: no script reads it, no other site sends it along with a form."""
    response.set_cookie(
        _name(settings, name),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=_is_secure(settings),
        samesite="lax",
    )


def clear_cookie(response: Response, settings: Settings, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(
        _name(settings, name), path="/", httponly=True, secure=_is_secure(settings), samesite="lax"
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


def _name(settings: Settings, name: str) -> str:
    """With TLS, browsers take a `__Host-` cookie from this very host only, not from a sister host."""
    return f"__Host-{name}" if _is_secure(settings) else name


def _is_secure(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")
