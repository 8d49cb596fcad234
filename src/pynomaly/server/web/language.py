"""Which language a page is in, and its texts: gettext catalogues under `locale/`, English in the source.

Python says `_("Datasets")` and `ngettext("%(num)s row", "%(num)s rows", n)`; templates have the same two.
What a person chose comes in a cookie, else the browser's `Accept-Language` decides. A middleware sets the
language of a request before any route runs; elsewhere (jobs, the command line) it is English.
"""

import io
from contextvars import ContextVar
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""What there are catalogues for, each called as it calls itself."""
DEFAULT = "en"
COOKIE = "pynomaly_language"
LOCALE = Path(__file__).resolve().parent / "locale"
_current: ContextVar[str] = ContextVar("language", default=DEFAULT)


class Languages:
    """ASGI middleware that finds out in which language to answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set the language of one request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            cookies = cookie_parser(headers.get("cookie", ""))
            chosen = cookies.get(COOKIE) or cookies.get(f"__Host-{COOKIE}", "")
            _current.set(choose(chosen, headers.get("accept-language", "")))
        await self._app(scope, receive, send)


def language() -> str:
    """The language of the present request."""
    return _current.get()


def speak(name: str) -> None:
    """Go on in another language."""
    _current.set(name if name in LANGUAGES else DEFAULT)


def choose(chosen: str, accepted: str) -> str:
    """Take what a person chose, else what their browser accepts most (RFC 9110, 12.5.4), else English.

    >>> choose("", "fr, de-AT;q=0.8, en;q=0.5"), choose("en", "de"), choose("xx", "")
    ('de', 'en', 'en')
    """
    if chosen in LANGUAGES:
        return chosen
    ranked: list[tuple[float, int, str]] = []
    for part in accepted[:400].split(","):
        tag, _, weight = part.partition(";q=")
        name = tag.strip().lower().partition("-")[0]
        try:
            share = float(weight or 1)
        except ValueError:
            continue
        if name in LANGUAGES and share > 0:
            ranked.append((-share, len(ranked), name))
    return min(ranked)[2] if ranked else DEFAULT


def gettext(message: str) -> str:
    """Give a text in the language of the request."""
    return _catalogue(language()).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """Give a text for `n` things in the language of the request."""
    return _catalogue(language()).ngettext(one, many, n)


_ = gettext


@lru_cache
def _catalogue(name: str) -> NullTranslations:
    """Read the texts of a language, once."""
    path = LOCALE / name / "messages.po"
    if name == DEFAULT or not path.exists():
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=name))
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache
def symbols(name: str) -> dict[int, str]:
    """How a number written in English becomes one of this language: what to put for `,` and for `.`."""
    if name == DEFAULT:
        return {}
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return {ord(","): get_group_symbol(name), ord("."): get_decimal_symbol(name)}


def written(number: str) -> str:
    """Write a number, given as in English, as the language of the request has it.

    >>> written("1,234.5")
    '1,234.5'
    """
    table = symbols(language())
    return number.translate(table) if table else number
