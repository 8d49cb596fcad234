"""What can go wrong between a client and its server: one tree, under `pynomaly.PynomalyError`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pynomaly import errors
from pynomaly.errors import ConfigurationError, PynomalyError

if TYPE_CHECKING:
    from datetime import datetime

    from pynomaly.client.flow import Reply
    from pynomaly.client.models import Job

__all__ = [
    "ApiError",
    "ClientError",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "FieldError",
    "Forbidden",
    "InvalidRequest",
    "JobCancelled",
    "JobFailed",
    "NotFound",
    "PreconditionFailed",
    "ServerError",
    "TooLarge",
    "TooManyRequests",
    "Unauthenticated",
    "UnexpectedAnswer",
    "WaitTimedOut",
]


class ClientError(PynomalyError):
    """The server could not be asked, or what it does did not end well."""

    code = "client_error"


class ConnectionFailed(ClientError):
    """The server cannot be reached, or went away before it had answered."""

    code = "connection_failed"


class UnexpectedAnswer(ClientError):
    """What answers there is not the REST API of Pynomaly, or one that this client does not know."""

    code = "unexpected_answer"


class WaitTimedOut(ClientError, TimeoutError):
    """The job has not ended in the time that was waited; it goes on."""

    code = "wait_timed_out"

    def __init__(self, message: str, job: "Job") -> None:
        """Tell which job, as it was last seen."""
        super().__init__(message)
        self.job = job


class JobFailed(ClientError):
    """The job failed."""

    code = "job_failed"

    def __init__(self, job: "Job") -> None:
        """Say why, in the server's words; `code` is the job's."""
        super().__init__(job.error_detail or f"The job {job.id} {job.status}.")
        self.job = job
        self.code = job.error_code or type(self).code
        if (kind := errors.error_of(self.code)) is not None:  # a table that cannot be read, for one
            self.exit_code = kind.exit_code


class JobCancelled(JobFailed):
    """The job was cancelled."""

    code = "job_cancelled"


@dataclass(frozen=True)
class FieldError:
    """One field that is wrong: where it stands, as a JSON pointer (RFC 6901), and what is wrong with it."""

    place: str
    pointer: str
    detail: str


class ApiError(ClientError):
    """The server refused a request, or failed at it; `message` is its own word."""

    def __init__(self, reply: "Reply") -> None:
        """Read a problem (RFC 9457), or make the best of an answer that is none."""
        problem = _problem(reply)
        super().__init__(str(problem.get("detail") or _in_words(reply.status)))
        self.status = reply.status
        self.code = str(problem.get("code") or "http_error")
        self.errors: Sequence[FieldError] = _fields(problem)
        self.details = dict(problem.get("details") or {})
        self.request_id = str(problem.get("correlation_id") or reply.headers.get("x-request-id", "")) or None
        """What to name when asking the server's administrator: the request's id in its logs."""
        self.retry_after = retry_after(reply.headers)
        """Seconds after which it may be tried again, when the server told."""


class InvalidRequest(ApiError, errors.InputError):
    """The request has something in it that cannot be used."""


class Unauthenticated(ApiError, errors.Unauthenticated):
    """The API key, token or password is missing or not valid."""


class Forbidden(ApiError, errors.Forbidden):
    """You may not do this."""


class NotFound(ApiError, errors.NotFound):
    """There is no such thing, or you may not see it."""


class Conflict(ApiError, errors.Conflict):
    """This does not fit the present state."""


class PreconditionFailed(ApiError, errors.PreconditionFailed):
    """Somebody changed this since it was read."""


class TooLarge(ApiError, errors.TooLarge):
    """The request is larger than the limit."""

    exit_code = errors.InputError.exit_code


class TooManyRequests(ApiError, errors.TooManyRequests):
    """There were too many requests."""


class ServerError(ApiError):
    """The server failed, or is too busy."""


BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: TooLarge,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
}


def error_of(reply: "Reply") -> ApiError:
    """Make the error that an answer's status names."""
    return BY_STATUS.get(reply.status, ServerError if reply.status >= 500 else ApiError)(reply)


def retry_after(headers: Mapping[str, str], now: "datetime | None" = None) -> float | None:
    """Read `Retry-After`: seconds, or a date, which counts from the answer's own `Date`.

    >>> retry_after({"retry-after": "3"}), retry_after({}), retry_after({"retry-after": "soon"})
    (3.0, None, None)
    >>> date = "Wed, 21 Oct 2026 07:28:{:02} GMT"
    >>> retry_after({"retry-after": date.format(30), "date": date.format(10)})
    20.0
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        begin = now or parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (parsedate_to_datetime(text) - begin).total_seconds())
    except (ValueError, TypeError):
        return None


def _problem(reply: "Reply") -> Mapping[str, Any]:
    """The members of a problem; none when the answer is not JSON, as from a proxy."""
    try:
        found = json.loads(reply.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fields(problem: Mapping[str, Any]) -> list[FieldError]:
    given = problem.get("errors")
    listed = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return [
        FieldError(str(one.get("in", "")), str(one.get("pointer", "")), str(one.get("detail", "")))
        for one in listed
    ]


def _in_words(status: int) -> str:
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    return f"The server answered {status}{phrase}."
