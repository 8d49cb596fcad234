"""Headers that answers have by convention, told with each operation whose dependencies bring them."""

from typing import Any

from pynomaly.server.web.description.operation import Operation
from pynomaly.server.web.rate import WINDOW

_TEXT = {"type": "string"}
COMPONENTS: dict[str, Any] = {
    "RequestId": {
        "description": "`X-Request-ID` of the request, or a new one: by it the request is found in the logs.",
        "schema": _TEXT,
        "example": "0f9b2c7d4e5a4f0e8c1d2b3a4f5e6d7c",
    },
    "RateLimit": {
        "description": "Requests that are left (`r`), and the seconds until all are there again (`t`).",
        "schema": _TEXT,
        "example": '"caller";r=299999;t=60',
    },
    "RateLimitPolicy": {
        "description": "How many requests (`q`) may be sent in a window of so many seconds (`w`).",
        "schema": _TEXT,
        "example": f'"caller";q=300000;w={WINDOW}',
    },
    "RetryAfter": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 1,
    },
    "ETag": {
        "description": "Names this state: for `If-Match` with a change, `If-None-Match` to ask again.",
        "schema": _TEXT,
        "example": '"6d1f0c9a2b7e4d5f8a3c1b0e"',
    },
    "Location": {
        "description": "Address of what was made or begun.",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/api/v1/datasets/0192f3c4-5b6a-7d8e-9f01-23456789abcd",
    },
    "Link": {
        "description": 'Address of the next page, `rel="next"` (RFC 8288); absent on the last one.',
        "schema": _TEXT,
        "example": '</api/v1/datasets?limit=50&cursor=eyJ2IjoxfQ>; rel="next"',
    },
    "IdempotencyReplayed": {
        "description": "`true` when this answer was given before for the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
    "WWWAuthenticate": {
        "description": "How to authenticate.",
        "schema": _TEXT,
        "example": 'Bearer realm="pynomaly"',
    },
}


def ref(name: str) -> dict[str, str]:
    """Refer to one of the headers."""
    return {"$ref": f"#/components/headers/{name}"}


def always(*, counted: bool) -> dict[str, Any]:
    """The headers of every answer."""
    limits = {"RateLimit": ref("RateLimit"), "RateLimit-Policy": ref("RateLimitPolicy")} if counted else {}
    return {"X-Request-ID": ref("RequestId")} | limits


def add(operation: Operation) -> None:
    """Tell the headers of an operation's answers that are no errors."""
    tagged = {"if-match", "if-none-match"} & operation.reads_headers
    for status, answer in operation.answers.items():
        if "$ref" in answer:
            continue
        found = always(counted=operation.counts_requests)
        if tagged and status in ("200", "201"):
            found["ETag"] = ref("ETag")
        if status in ("201", "202") and operation.method == "POST":
            found["Location"] = ref("Location")
        if "cursor" in operation.parameters("query") and status == "200":
            found["Link"] = ref("Link")
        if "idempotency-key" in operation.reads_headers and status[0] == "2":
            found["Idempotency-Replayed"] = ref("IdempotencyReplayed")
        answer["headers"] = found | answer.get("headers", {})
