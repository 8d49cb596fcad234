"""Every error that Pynomaly raises on purpose: one tree; a class knows its code, HTTP status and exit code.

A class's docstring is its default message. Errors are rendered in two places only: `server.web.errors` for
HTTP and `cli.main` for the shell.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class PynomalyError(Exception):
    """Something went wrong."""

    code: str = "internal_error"
    status: int = 500
    exit_code: int = 1

    def __init__(self, message: str | None = None, **details: Any) -> None:
        """Say what is wrong, where, and what to do; `details` are JSON values for machines."""
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.details = details
        super().__init__(self.message)


class InputError(PynomalyError):
    """The input cannot be used."""

    code = "bad_input"
    status = 422
    exit_code = 3


class UsageError(PynomalyError):
    """The request is not well formed."""

    code = "bad_request"
    status = 400
    exit_code = 2


# --- tables -----------------------------------------------------------------------------------------------


class TableError(InputError):
    """The table cannot be read."""

    code = "table_unreadable"


class FileMissing(TableError):
    """There is no such file."""

    code = "file_missing"


class UnknownFormat(TableError):
    """The file is not in a format that is supported."""

    code = "unknown_format"


class CorruptFile(TableError):
    """The file is damaged or cut short."""

    code = "corrupt_file"


class TableEmpty(TableError):
    """The table has no rows."""

    code = "table_empty"


class TableTooLarge(TableError):
    """The table is larger than the limit."""

    code = "table_too_large"
    status = 413


class TooManyBadRows(TableError):
    """Too many rows cannot be read."""

    code = "too_many_bad_rows"
    rejects: Sequence[Mapping[str, Any]] = ()
    """The first rejected cells: line, column, value, reason (`details` has a few of them)."""
    n_rejected: int = 0


class BadColumns(TableError):
    """The column names cannot be used."""

    code = "bad_columns"


class NonFiniteValue(TableError):
    """A number is infinite."""

    code = "non_finite_value"


class NoUsableColumns(InputError):
    """No column can be used for detection."""

    code = "no_usable_columns"


class TooFewRows(InputError):
    """The table has too few rows."""

    code = "too_few_rows"


class LabelError(InputError):
    """The label column cannot be used."""

    code = "bad_label_column"


class SchemaMismatch(InputError):
    """The table does not have the columns that the detector was trained on."""

    code = "schema_mismatch"


# --- detection --------------------------------------------------------------------------------------------


class UnknownAlgorithm(InputError):
    """There is no such algorithm."""

    code = "unknown_algorithm"


class BadParameter(InputError):
    """A parameter has the wrong type or is out of its range."""

    code = "bad_parameter"


class FitFailed(InputError):
    """The detector cannot be trained on this table."""

    code = "fit_failed"


class NotFitted(UsageError):
    """The detector is not trained yet: call fit first."""

    code = "not_fitted"
    status = 409


class BadBundle(InputError):
    """The model file is damaged, was changed, or is not a Pynomaly model."""

    code = "bad_bundle"


class UntrustedModel(BadBundle):
    """The model file holds objects of another library, and nothing says that it is to be trusted."""

    code = "untrusted_model"


class NotWritable(PynomalyError):
    """The file cannot be written."""

    code = "not_writable"


class MissingExtra(PynomalyError):
    """An optional part is not installed."""

    code = "missing_extra"
    status = 501


# --- server -----------------------------------------------------------------------------------------------


class Unauthenticated(PynomalyError):
    """Log in first."""

    code = "unauthenticated"
    status = 401


class BadCredentials(Unauthenticated):
    """The e-mail address or the password is wrong."""

    code = "bad_credentials"


class BadRefreshToken(Unauthenticated):
    """The refresh token is unknown, used or expired: log in again."""

    code = "bad_refresh_token"


class TooManyAttempts(PynomalyError):
    """There were too many attempts to log in: wait, then try again."""

    code = "too_many_attempts"
    status = 429


class Busy(PynomalyError):
    """The server has too much to do at the moment: try again."""

    code = "busy"
    status = 503


class BadAccount(InputError):
    """The account cannot be made like this."""

    code = "bad_account"
    exit_code = 2


class BadSetupLink(PynomalyError):
    """The set-up link is unknown, used or expired: start the server again for a new one."""

    code = "bad_setup_link"
    status = 403


class BadResetLink(PynomalyError):
    """The link for a new password is unknown, used or expired: ask for another."""

    code = "bad_reset_link"
    status = 403


class WrongPassword(PynomalyError):
    """The present password is not right."""

    code = "wrong_password"
    status = 403


class SignInFailed(PynomalyError):
    """Signing in did not succeed: begin again from the log-in page."""

    code = "sign_in_failed"
    status = 403


class ProviderUnavailable(PynomalyError):
    """The sign-in provider cannot be reached at the moment: try again."""

    code = "provider_unavailable"
    status = 503


class CrossSite(PynomalyError):
    """The request comes from another site, or does not say where it comes from."""

    code = "cross_site_request"
    status = 403


class Forbidden(PynomalyError):
    """You may not do this."""

    code = "forbidden"
    status = 403


class NotFound(PynomalyError):
    """There is nothing here, or you may not see it."""

    code = "not_found"
    status = 404


class Conflict(PynomalyError):
    """This does not fit the present state."""

    code = "conflict"
    status = 409


class NotReady(Conflict):
    """This is not ready yet."""

    code = "not_ready"


class PreconditionFailed(PynomalyError):
    """Somebody changed this since you read it: read it again, then repeat your change."""

    code = "precondition_failed"
    status = 412


class TooManyRequests(PynomalyError):
    """There were too many requests: slow down."""

    code = "too_many_requests"
    status = 429


class TooLarge(PynomalyError):
    """The request is larger than the limit."""

    code = "too_large"
    status = 413


class BadRequest(UsageError):
    """The request cannot be understood."""

    code = "bad_request"


class BadValue(InputError):
    """A value in the request cannot be stored."""

    code = "bad_value"


class BadCursor(InputError):
    """The cursor is not one that this list gave."""

    code = "bad_cursor"

    def __init__(self, message: str | None = None) -> None:
        """Point at the parameter that every list has."""
        super().__init__(message, pointer="#/cursor", place="query")


class OutOfMemory(PynomalyError):
    """The job needed more memory than it may use."""

    code = "out_of_memory"


class TimedOut(PynomalyError):
    """The job took longer than it may."""

    code = "timed_out"


class Killed(PynomalyError):
    """The job's process was killed."""

    code = "killed"


class ScoringFailed(PynomalyError):
    """The rows could not be scored at the moment: try again."""

    code = "scoring_failed"
    status = 503


class ScoringTimedOut(PynomalyError):
    """Scoring took longer than it may."""

    code = "scoring_timed_out"
    status = 504


class LeaseLost(Conflict):
    """Another worker has taken this job over."""

    code = "lease_lost"


class ConfigurationError(PynomalyError):
    """A setting cannot be used."""

    code = "bad_configuration"
    exit_code = 2


class BadRange(PynomalyError):
    """The file does not have these bytes."""

    code = "bad_range"
    status = 416


def error_of(code: str) -> type[PynomalyError] | None:
    """Find the error that a code names, if it is one that a client can do something about.

    >>> error_of("table_empty").status, error_of("killed")
    (422, None)
    """
    waiting: list[type[PynomalyError]] = [PynomalyError]
    while waiting:
        kind = waiting.pop()
        if kind.code == code and kind.status != 500:
            return kind
        waiting += kind.__subclasses__()
    return None
