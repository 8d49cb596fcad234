"""Look-ups over the application's routes: which methods a path has, and which path an endpoint is at."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path


def allowed_methods(app: FastAPI, path: str) -> list[str]:
    """All the methods that `path` answers, HEAD and OPTIONS included.

    >>> app = FastAPI(docs_url=None, redoc_url=None)
    >>> for method in ("GET", "DELETE"):
    ...     app.add_api_route("/things/{id}", lambda id: id, methods=[method])
    >>> allowed_methods(app, "/things/1")
    ['DELETE', 'GET', 'HEAD', 'OPTIONS']
    """
    found = {"OPTIONS"}
    matching = [one for one in _table(app) if compile_path(one[0])[0].match(path)]
    exact = [one for one in matching if one[0] == path]  # `/datasets/upload` is no dataset
    for _, methods, _ in exact or matching:
        found |= methods
    if "GET" in found:
        found.add("HEAD")
    return sorted(found)


def paths_by_endpoint(app: FastAPI) -> dict[Callable[..., Any], str]:
    """Map each endpoint to its path template, the first one when it is at several."""
    paths: dict[Callable[..., Any], str] = {}
    for template, _, endpoint in _table(app):
        paths.setdefault(endpoint, template)
    return paths


def _table(app: FastAPI) -> list[tuple[str, set[str], Callable[..., Any]]]:
    rows = []
    for route in iter_route_contexts(app.routes):
        endpoint = getattr(route, "endpoint", None)
        if endpoint is not None:
            rows.append(
                (str(getattr(route, "path", "")), set(getattr(route, "methods", None) or ()), endpoint)
            )
    return rows
