"""Which theme a person wants: light, dark, or what their system has."""

from starlette.requests import Request

from pynomaly.server.web.cookies import cookie

THEMES = ("system", "light", "dark")
COOKIE = "pynomaly_theme"


def theme(request: Request) -> str:
    """The theme that was chosen; "system" leaves it to the browser."""
    chosen = cookie(request, request.app.state.settings, COOKIE)
    return chosen if chosen in THEMES else "system"
