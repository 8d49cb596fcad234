"""How a person wants the pages: the theme, kept in a cookie, so that it holds before the log-in too."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from pynomaly.server.web import theme
from pynomaly.server.web.cookies import local_path
from pynomaly.server.web.deps import SettingsDep

A_YEAR = 365 * 86400

router = APIRouter(include_in_schema=False)


@router.post("/preferences")
def choose(
    settings: SettingsDep,
    chosen: Annotated[Literal["system", "light", "dark"], Form(alias="theme")],
    next: Annotated[str, Form(max_length=4096)] = "/",  # noqa: A002 - the field's public name
) -> Response:
    """Keep the theme that was chosen, and go back to where it was."""
    answer = RedirectResponse(local_path(next), 303)
    secure = settings.public_url.startswith("https://")
    answer.set_cookie(theme.COOKIE, chosen, max_age=A_YEAR, secure=secure, httponly=True, samesite="lax")
    return answer
