"""Every error as an answer: RFC 9457 problems for programs, pages for browsers, log-in for strangers."""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, StatementError
from starlette.exceptions import HTTPException

from pynomaly.errors import (
    BadCredentials,
    BadRefreshToken,
    BadValue,
    Busy,
    Conflict,
    MissingExtra,
    PynomalyError,
    Unauthenticated,
    UnknownAlgorithm,
)
from pynomaly.server.web.answered import Answered
from pynomaly.server.web.kept import Kept, came_from, keep
from pynomaly.server.web.render import render
from pynomaly.server.web.routes import allowed_methods

MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="pynomaly"'
MAX_ERRORS = 50
CODES = {400: "bad_request", 404: "not_found", 413: "too_large", 422: "bad_input", 500: "internal_error"}
SORRY = "Something went wrong on our side. It has been logged under the correlation id."
DETAILS = {
    404: "There is nothing here, or you may not see it.",
    500: SORRY,
}
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Problem:
    """What went wrong with a request, before it is written as JSON or HTML."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Mapping[str, Any]] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def json(self, correlation_id: str) -> bytes:
        """Write it as RFC 9457 asks, in ASCII, so that no text of a request can break the encoding."""
        members: dict[str, Any] = {
            "type": f"urn:pynomaly:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "correlation_id": correlation_id,
        }
        if self.errors:
            members["errors"] = self.errors
        if self.details:
            members["details"] = self.details
        return json.dumps(members, default=str).encode()


def install(app: FastAPI) -> None:
    """Render all errors of `app` here."""
    app.add_exception_handler(Answered, _give)
    database = (DataError, IntegrityError, OperationalError)
    for kind in (PynomalyError, HTTPException, RequestValidationError, *database):
        app.add_exception_handler(kind, _handle)


async def _give(_request: Request, answered: Exception) -> Response:
    assert isinstance(answered, Answered)
    return answered.response


async def _handle(request: Request, error: Exception) -> Response:
    if _should_log_in(request, error) and (form := await keep(request)) is not None:
        return _log_in_again(request, form)
    return respond(request, error)


def _log_in_again(request: Request, form: Kept) -> Response:
    """Show the log-in form, which carries what was typed into another."""
    settings = request.app.state.settings
    page = render(
        request,
        "users/login.html",
        status=401,
        email="",
        error=None,
        note=None,
        next=form.back,
        provider=settings.oidc_name if settings.oidc_issuer else None,
        kept=form,
    )
    page.headers["WWW-Authenticate"] = CHALLENGE
    return page


def respond(request: Request, error: Exception) -> Response:
    """Turn any error into the answer to a request."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return _other_method(request)
    if _should_log_in(request, error):
        return RedirectResponse(_log_in_address(request), 303)
    problem = problem_of(error)
    if problem.status >= 500 and not isinstance(error, HTTPException | MissingExtra):
        _log(problem, error)
    return _answer(request, problem)


def problem_of(error: Exception) -> Problem:
    """Say what a client may know about an error."""
    if isinstance(error, PynomalyError):
        return _of_ours(error)
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, DataError):
        return _of_ours(BadValue())
    if isinstance(error, IntegrityError) and _was_overtaken(error):
        return _of_ours(Conflict("Something that this needs was changed or deleted meanwhile."))
    if isinstance(error, OperationalError) and _passes(error):
        return _of_ours(Busy(retry_after=1))
    return Problem(500, "internal_error", SORRY)


def wants_html(request: Request) -> bool:
    """Tell whether a browser asked: outside the API, for HTML."""
    return not is_api(request) and "text/html" in request.headers.get("accept", "")


def is_api(request: Request) -> bool:
    """Tell whether the request is for the REST API."""
    return request.url.path.startswith("/api/") or is_inference(request)


def is_inference(request: Request) -> bool:
    """Tell whether the request is for the Open Inference Protocol, which has errors of its own."""
    return is_inference_path(request.url.path)


def is_inference_path(path: str) -> bool:
    """Tell whether a path belongs to the Open Inference Protocol.

    >>> is_inference_path("/v2/models/payments"), is_inference_path("/v21")
    (True, False)
    """
    return path == "/v2" or path.startswith("/v2/")


def correlation_id(request: Request) -> str:
    """The identifier that the answer, the log lines and the problem of one request share."""
    return str(getattr(request.state, "correlation_id", ""))


def _of_ours(error: PynomalyError) -> Problem:
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    detail = SORRY if error.status == 500 else error.message  # which may name what is inside
    more = {name: value for name, value in error.details.items() if name not in ("pointer", "place")}
    return Problem(error.status, error.code, detail, headers, _pointed(error), more)


def _pointed(error: PynomalyError) -> list[dict[str, str]]:
    """Point at the field that one of our errors is about; nothing when it is about none."""
    details = error.details
    if "pointer" in details:
        pointer = str(details["pointer"])
    elif "parameter" in details:  # of an algorithm, or of every one: a threshold, the seed
        steps = ["parameters", details["parameter"]] if details.get("algorithm") else [details["parameter"]]
        pointer = _pointer(steps)
    elif isinstance(error, UnknownAlgorithm):
        pointer = "#/algorithm"
    else:
        return []
    return [{"in": str(details.get("place", "body")), "pointer": pointer, "detail": error.message}]


def _of_http(error: HTTPException) -> Problem:
    status = error.status_code
    code = CODES.get(status) or re.sub(r"\W+", "_", HTTPStatus(status).phrase.lower())
    detail = DETAILS.get(status) or str(error.detail)
    return Problem(status, code, detail, error.headers or {})


def _of_validation(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return Problem(400, "bad_json", "The body is not valid JSON.")
    errors = [_field(one, error.body) for one in found[:MAX_ERRORS]]
    first = errors[0]
    detail = f"{first['in']} {first['pointer']}: {first['detail']}"
    return Problem(422, "invalid_request", f"The request is not valid: {detail}.", errors=errors)


def _field(error: Mapping[str, Any], body: Any) -> dict[str, str]:
    """Name one wrong field by a JSON pointer (RFC 6901); its value is not repeated: it may be a secret."""
    place, *steps = error["loc"]
    if place == "body":
        steps = _within(body, steps)
    return {"in": str(place), "pointer": _pointer(steps), "detail": str(error["msg"])}


def _within(body: Any, steps: Sequence[Any]) -> list[Any]:
    """Leave out what is no step into the body, but names the type that a value was tried as."""
    for number, step in enumerate(steps):
        if not isinstance(body, dict | list):
            return list(steps[:number])
        try:
            body = body[step]
        except (LookupError, TypeError):
            return list(steps[: number + 1])
    return list(steps)


def _pointer(steps: Sequence[Any]) -> str:
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1")[:200] for step in steps)


def _other_method(request: Request) -> Response:
    """Answer OPTIONS for any path, and 405 with all the methods that the path does have."""
    headers = {"Allow": ", ".join(allowed_methods(request.app, request.url.path))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    detail = f"This address does not answer {request.method[:20]}; it answers {headers['Allow']}."
    return _answer(request, Problem(405, "method_not_allowed", detail, headers))


def _should_log_in(request: Request, error: Exception) -> bool:
    failed_log_in = isinstance(error, BadCredentials | BadRefreshToken)
    return isinstance(error, Unauthenticated) and not failed_log_in and wants_html(request)


def _log_in_address(request: Request) -> str:
    if request.method != "GET":
        back = came_from(request)
        return "/login" if back == "/" else "/login?next=" + quote(back, safe="")
    query = f"?{request.url.query}" if request.url.query else ""
    return "/login?next=" + quote(request.url.path + query, safe="")


def _answer(request: Request, problem: Problem) -> Response:
    id_ = correlation_id(request)
    if is_inference(request):
        status = 400 if problem.status == 422 else problem.status
        return Response(
            json.dumps({"error": problem.detail}), status, dict(problem.headers), "application/json"
        )
    if not wants_html(request):
        return Response(problem.json(id_), problem.status, dict(problem.headers), MEDIA_TYPE)
    page = render(
        request,
        "error.html",
        status=problem.status,
        title=problem.title,
        detail=problem.detail,
        code=problem.code,
        correlation_id=id_,
    )
    page.headers.update(problem.headers)
    return page


def _log(problem: Problem, error: Exception) -> None:
    if isinstance(error, StatementError):
        error.hide_parameters = True  # they may hold what a person typed
    log.error("error", code=problem.code, exc_info=error)


def _passes(error: OperationalError) -> bool:
    """Tell whether the database is locked or, PostgreSQL, cannot be reached at the moment.

    Of SQLite's errors of this class most are permanent: a table that is missing, a damaged file.
    """
    return not isinstance(error.orig, sqlite3.Error) or "database is locked" in str(error.orig)


def _was_overtaken(error: IntegrityError) -> bool:
    """Tell whether another request has deleted what a row refers to, or made the same row first."""
    if isinstance(error.orig, sqlite3.Error):
        return str(error.orig).startswith(("FOREIGN KEY constraint failed", "UNIQUE constraint failed"))
    return getattr(error.orig, "sqlstate", None) in ("23503", "23505")
