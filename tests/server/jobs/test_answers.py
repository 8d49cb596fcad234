"""`Prefer: wait=N`, and the errors that jobs' codes name."""

import pytest

from pynomaly import errors
from pynomaly.errors import error_of
from pynomaly.server.jobs.answers import preferred_wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("respond-async, wait=5", 5),
        ('Wait="7"', 7),
        ("wait = 3; foo", 3),
        ("wait=31", 30),
        ("wait=999999", 30),
        ("wait=-1", 0),
        ("wait=x", 0),
        ("await=9", 0),
        ("", 0),
    ],
)
def test_preferred_wait(header: str, seconds: int) -> None:
    """RFC 7240, at most 30 seconds; anything else is no wait."""
    assert preferred_wait(header) == seconds


def test_errors_by_code() -> None:
    """A fault of the input has its class; one of ours or an unknown one has none."""
    assert error_of("corrupt_file") is errors.CorruptFile
    assert error_of("schema_mismatch") is errors.SchemaMismatch
    assert error_of("missing_extra") is errors.MissingExtra
    for code in ("killed", "out_of_memory", "timed_out", "error", "cancelled", ""):
        assert error_of(code) is None
