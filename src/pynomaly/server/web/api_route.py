"""The route class of the API: what all its operations have in common, so that none can forget it."""

import json
import re
from collections.abc import Callable, Coroutine
from functools import cached_property, partial
from typing import Annotated, Any, get_args, get_origin
from urllib.parse import urlencode

from fastapi import HTTPException, Query, Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from pynomaly.errors import BadValue
from pynomaly.server.web.deps import get_caller
from pynomaly.server.web.facts import calls
from pynomaly.server.web.idempotency import claim_of
from pynomaly.server.web.threads import ThreadRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Fields = Annotated[
    str | None,
    Query(
        alias="fields",
        max_length=2000,
        description="Only these fields of each item, comma-separated; default: all.",
    ),
]
"""For every GET that answers JSON: `_fields: Fields = None`."""
_NEXT = re.compile(rb'"next_cursor":"([A-Za-z0-9_-]+)"\}$')
_TAIL = 4096


class ApiRoute(ThreadRoute):
    """A route that knows its query parameters, its answer's fields, and the next page's address."""

    def get_route_handler(self) -> Handler:
        """Put the finish behind FastAPI's handler, and the check where `may` calls it, for nobody unknown."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if self._is_open:
                request.app.state.rate_limits.charge_stranger(request)
            request.state.check_query = partial(self._check_query, request)
            try:
                response = await handle(request)
            except RequestValidationError:
                self._check_kind(request)
                raise
            if "fields" in request.query_params and response.status_code == 200:
                response = _only(response, self._wanted(request))
            if request.method == "GET" and request.url.path.startswith("/api/"):
                _link_next(request, response)
            await _keep_answer(request, response)
            return response

        return checked

    @cached_property
    def _is_open(self) -> bool:
        return get_caller not in calls(self.dependant)

    @cached_property
    def _parameters(self) -> frozenset[str]:
        found = get_flat_params(self.dependant)
        return frozenset(one.alias for one in found if isinstance(one.field_info, params.Query))

    @cached_property
    def _fields(self) -> frozenset[str]:
        """The names that `fields` may list: those of the answer or, of a list, of its items."""
        model = self.response_model
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return frozenset()
        items = model.model_fields.get("items")
        if items is not None and get_origin(items.annotation) is list:
            [model] = get_args(items.annotation)
        return frozenset(model.model_fields)

    def _check_query(self, request: Request) -> None:
        """Refuse what no parameter is called: a misspelled filter must not answer everything."""
        if unknown := request.query_params.keys() - self._parameters:
            name = min(unknown)[:100]
            known = ", ".join(sorted(self._parameters)) or "none"
            raise BadValue(
                f"There is no query parameter {name!r}; there is: {known}.",
                pointer=f"#/{name}",
                place="query",
            )
        for name, values in _repeated(request).items():
            raise BadValue(
                f"{name!r} is given {values} times; give it once.", pointer=f"#/{name}", place="query"
            )
        self._wanted(request)

    def _check_kind(self, request: Request) -> None:
        """Say that a body is of a kind that is not read, rather than that nothing was found in it.

        The inference protocol answers 400 to both.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        takes_json = self.body_field is not None and not isinstance(self.body_field.field_info, params.Form)
        is_json = kind.startswith("application/") and kind.endswith(("/json", "+json"))
        is_empty = request.headers.get("content-length") == "0"
        if request.url.path.startswith("/api/") and takes_json and not (is_json or is_empty):
            raise HTTPException(415, "Send the body as application/json.")

    def _wanted(self, request: Request) -> frozenset[str]:
        """Read `fields`; none when it is not given."""
        given = request.query_params.get("fields")
        if given is None:
            return frozenset()
        names = frozenset(name.strip() for name in given.split(","))
        if unknown := names - self._fields:
            listed = ", ".join(sorted(self._fields))
            raise BadValue(
                f"There is no field {min(unknown)[:100]!r}; fields are: {listed}.",
                pointer="#/fields",
                place="query",
            )
        return names


def _repeated(request: Request) -> dict[str, int]:
    names = [name for name, _ in request.query_params.multi_items()]
    return {name: names.count(name) for name in set(names) if names.count(name) > 1}


def _only(response: Response, names: frozenset[str]) -> Response:
    """Leave out all other fields."""
    content = json.loads(bytes(response.body))
    if "items" in content and "next_cursor" in content:
        content["items"] = [_some(item, names) for item in content["items"]]
    else:
        content = _some(content, names)
    response.body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    response.headers["Content-Length"] = str(len(response.body))
    return response


def _some(item: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in names}


def _link_next(request: Request, response: Response) -> None:
    """Name the next page's address (RFC 8288); a page's `next_cursor` is its last field."""
    body = getattr(response, "body", b"")
    if found := _NEXT.search(bytes(body[-_TAIL:])):
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        address = f"{request.url.path}?{urlencode([*query, ('cursor', found[1].decode())])}"
        response.headers["Link"] = f'<{address}>; rel="next"'


async def _keep_answer(request: Request, response: Response) -> None:
    """Leave the answer where the transaction that has the effect, or had it, keeps it for a retry."""
    claim = claim_of(request)
    if claim is None or response.status_code >= 400:
        return
    if claim.carried_out:
        await run_in_threadpool(claim.keep, response)
    else:
        request.state.answer = response
