"""Render the HTML pages: one Jinja environment, autoescaping everything, with the templates' filters.

Call `render(request, "datasets/list.html", actor=actor, datasets=items)`; a feature has a folder of them.
Texts are in English, within `_()` or `ngettext()`; see `language`.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pynomaly.server.web import formats, language
from pynomaly.server.web.as_api import ApiCall, python
from pynomaly.server.web.kept import came_from
from pynomaly.server.web.theme import theme

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"

FILTERS = {
    "bytes": formats.size,
    "count": formats.count,
    "day": formats.day,
    "duration": formats.duration,
    "moment": formats.moment,
    "number": formats.number,
    "percent": formats.percent,
    "probability": formats.probability,
    "stamp": formats.stamp,
    "translated": language.gettext,
    "value": formats.value,
}


@lru_cache(maxsize=256)
def static(name: str) -> str:
    """Address of a file under `static/`, with its content's hash, so that browsers may keep it for a year."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Build the Jinja environment once; an unknown variable in a template is an error."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.filters.update(FILTERS)
    env.globals |= {"static": static, "languages": language.LANGUAGES}
    env.policies["json.dumps_function"] = json.dumps
    env.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    return env


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    actor: Any = None,
    api_calls: Sequence[ApiCall] = (),
    **context: Any,
) -> HTMLResponse:
    """Render `template` for `actor` (None: nobody is logged in) with `context` as its variables.

    `api_calls` are shown beneath as what a program would do.
    """
    base = request.app.state.settings.public_url or str(request.base_url)
    variables = {
        "request": request,
        "actor": actor,
        "path": request.url.path,
        "here": _here(request),
        "http_status": status,
        "theme": theme(request),
        "language": language.language(),
        "api_calls": [(call, call.curl(base)) for call in api_calls],
        "api_python": python(api_calls, base) if api_calls else "",
    }
    body = environment().get_template(template).render(variables | context)
    headers = {"Cache-Control": "no-store", "Content-Language": language.language()}
    return HTMLResponse(body, status_code=status, headers=headers)


def _here(request: Request) -> str:
    """The page that one is on; a form that is shown again is on the page that it was sent from."""
    if request.method not in ("GET", "HEAD"):
        return came_from(request)
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
