"""How a person wants the pages: theme and language, in cookies, so that they hold before the log-in too."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from pynomaly.errors import BadValue
from pynomaly.server.web import language, theme
from pynomaly.server.web.cookies import local_path, set_cookie
from pynomaly.server.web.deps import SettingsDep

A_YEAR = 365 * 86400

router = APIRouter(include_in_schema=False)


@router.post("/preferences")
def choose(
    settings: SettingsDep,
    theme_: Annotated[Literal["system", "light", "dark", ""], Form(alias="theme")] = "",
    language_: Annotated[Literal["en", "de", ""], Form(alias="language")] = "",
    next: Annotated[str, Form(max_length=4096)] = "/",  # noqa: A002 - the field's public name
) -> Response:
    """Keep what was chosen, and go back to where it was.

    Raises:
        BadValue: neither was chosen.
    """
    if not theme_ and not language_:
        raise BadValue("Choose a theme or a language.", pointer="#/theme")
    answer = RedirectResponse(local_path(next), 303)
    for name, value in {theme.COOKIE: theme_, language.COOKIE: language_}.items():
        if value:
            set_cookie(answer, settings, name, value, A_YEAR)
    return answer
