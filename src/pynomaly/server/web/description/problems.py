"""The errors that each operation can give, each with an example."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from pynomaly.server.web.description.headers import always, ref
from pynomaly.server.web.description.operation import JSON, Operation
from pynomaly.server.web.errors import CODES, MEDIA_TYPE

SCHEMA = {"$ref": "#/components/schemas/ProblemAnswer"}
INFERENCE = {"$ref": "#/components/schemas/InferenceError"}
NOT_OF_INFERENCE = {412, 415, 416, 422}
"""What does not fit is 400 there."""
RUNS_ALGORITHM = re.compile(r"/(detectors(/import|/\{id\}(/train|/threshold)?)?|detect|batch|score|infer)$")
"""What may need an extra that is not installed."""
DETAILS: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "The request is not well formed.", "The body is not valid JSON in UTF-8."),
    401: ("unauthenticated", "The credentials are missing, wrong or expired.", "Log in first."),
    403: (
        "forbidden",
        "The role or the API key's scopes do not allow it, or another site asks.",
        "The API key does not have the scope 'datasets:write'.",
    ),
    404: (
        "not_found",
        "It does not exist, or the caller may not see it.",
        "There is nothing here, or you may not see it.",
    ),
    408: ("request_timeout", "The body came too slowly.", "The body came too slowly."),
    409: (
        "conflict",
        "It does not fit the present state, or the `Idempotency-Key` is in use.",
        "This is not ready yet.",
    ),
    412: (
        "precondition_failed",
        "It was changed since it was read (`If-Match`).",
        "Somebody changed this since you read it: read it again, then repeat your change.",
    ),
    413: ("too_large", "The body is larger than the limit.", "The body is larger than 1 MiB."),
    415: (
        "unsupported_media_type",
        "The body is of another kind.",
        "Send the file as multipart/form-data, in a part named 'file'.",
    ),
    416: ("bad_range", "The file ends before the part that is asked for.", "The file has 20480 bytes."),
    422: (
        "invalid_request",
        "A field, parameter or value cannot be used.",
        "The request is not valid: query #/limit: Input should be less than or equal to 200.",
    ),
    429: (
        "too_many_requests",
        "Too many requests, or attempts to log in.",
        "Too many requests: wait 12 seconds.",
    ),
    500: (
        "internal_error",
        "A fault of the server, logged under `correlation_id`.",
        "Something went wrong on our side. It has been logged under the correlation id.",
    ),
    501: ("missing_extra", "An optional part is not installed.", "PyOD is not installed: pip install …"),
    503: (
        "busy",
        "The server cannot do it at the moment.",
        "The server has too much to do at the moment: try again.",
    ),
    504: ("scoring_timed_out", "Scoring took longer than it may.", "Scoring took longer than 30 seconds."),
}
"""Status -> an example's code, what the status means here, an example's text."""
WAIT = {429, 503}


def responses() -> dict[str, Any]:
    """All errors, for the components of the schema."""
    ours = {_name(status): _response(status) for status in DETAILS}
    kept = DETAILS.keys() - NOT_OF_INFERENCE
    return ours | {f"Inference{_name(status)}": _of_inference(status) for status in sorted(kept)}


def add(operation: Operation) -> None:
    """Tell which errors an operation can give; an answer that the route itself declares stays."""
    answers = operation.answers
    for declared in ("422", "default"):
        answers.pop(declared, None)
    for status in statuses(operation):
        answers.setdefault(str(status), _ref(operation, status))
    if "if-none-match" in operation.reads_headers and operation.is_safe:
        tagged = {"ETag": ref("ETag")}
        answers["304"] = {"description": "The client has this state already.", "headers": tagged}
    for name, answer in list(answers.items()):
        if name[0] in "45" and "$ref" not in answer and _is_plain_problem(answer):
            answers[name] = _ref(operation, int(name))
    operation.raw["responses"] = dict(sorted(answers.items()))


def statuses(operation: Operation) -> Iterator[int]:
    """The errors that follow from what an operation takes and does."""
    yield from (400, 500)
    if operation.path.endswith("/health/live"):
        return
    yield 503
    yield from _of_callers(operation)
    yield from _of_input(operation)
    yield from _of_state(operation)


def _of_callers(operation: Operation) -> Iterator[int]:
    if operation.knows_caller or "auth" in operation.raw.get("tags", ()):
        yield 401
    if operation.permissions or not operation.is_safe:
        yield 403
    if operation.counts_requests:
        yield 429


def _of_input(operation: Operation) -> Iterator[int]:
    if operation.counts_requests and not operation.is_inference:
        yield 422
    if not operation.is_safe:
        yield from (408, 413)
    if operation.body and not operation.is_inference:
        yield 415


def _of_state(operation: Operation) -> Iterator[int]:
    names = operation.parameters("path")
    refers = not operation.is_safe and "auth" not in operation.raw.get("tags", ())
    if names or "ids" in operation.parameters("query") or refers:
        yield 404
    if not operation.is_safe or (names and not operation.path.endswith("}")):
        yield 409
    if "if-match" in operation.reads_headers:
        yield 412
    if operation.method != "DELETE" and not operation.is_safe and RUNS_ALGORITHM.search(operation.path):
        yield 501


def _response(status: int) -> dict[str, Any]:
    code, meaning, detail = DETAILS[status]
    example: dict[str, Any] = {
        "type": f"urn:pynomaly:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "correlation_id": "0f9b2c7d4e5a4f0e8c1d2b3a4f5e6d7c",
    }
    if status == 422:
        example["errors"] = [
            {"in": "query", "pointer": "#/limit", "detail": "Input should be less than or equal to 200"}
        ]
    content = {MEDIA_TYPE: {"schema": SCHEMA, "example": example}}
    return {"description": meaning, "headers": _headers(status), "content": content}


def _of_inference(status: int) -> dict[str, Any]:
    _, meaning, detail = DETAILS[status]
    content = {JSON: {"schema": INFERENCE, "example": {"error": detail}}}
    return {"description": meaning, "headers": _headers(status), "content": content}


def _headers(status: int) -> dict[str, Any]:
    found = always(counted=False)
    found |= {"Retry-After": ref("RetryAfter")} if status in WAIT else {}
    return found | ({"WWW-Authenticate": ref("WWWAuthenticate")} if status == 401 else {})


def _ref(operation: Operation, status: int) -> dict[str, str]:
    kind = "Inference" if operation.is_inference else ""
    return {"$ref": f"#/components/responses/{kind}{_name(status)}"}


def _name(status: int) -> str:
    """The name of an error's component: `NotFound`."""
    return "".join(word.title() for word in HTTPStatus(status).phrase.replace("-", " ").split())


def _is_plain_problem(answer: dict[str, Any]) -> bool:
    kinds = answer.get("content", {})
    return not kinds or any(kinds.get(kind, {}).get("schema") == SCHEMA for kind in (JSON, MEDIA_TYPE))


assert CODES.keys() <= DETAILS.keys()
