"""Cursors of lists that never change."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.errors import BadCursor, InputError
from pynomaly.server import positions


@given(order=st.text(max_size=20), position=st.integers(0, 2**62 - 1))
@settings(deadline=None, max_examples=50)
def test_decode_gives_what_encode_took(order: str, position: int) -> None:
    """Any order, any position."""
    assert positions.decode(positions.encode(order, position), order) == position


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=100)
def test_anything_else_is_refused(text: str) -> None:
    """No text makes it fail in another way."""
    try:
        position = positions.decode(text, "row")
    except BadCursor:
        return
    assert positions.encode("row", position)


def coded(value: object) -> str:
    """Code any JSON value as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "value", [["score", 5], ["row", -1], ["row", 2**62], ["row", True], ["row", 1.5], ["row"], 5, None, "row"]
)
def test_cursors_that_no_list_gave(value: object) -> None:
    """Another order, no position, no list."""
    with pytest.raises(BadCursor):
        positions.decode(coded(value), "row")


def test_no_cursor_is_the_start() -> None:
    """The first page needs none."""
    assert positions.decode(None, "row") == 0


@pytest.mark.parametrize("limit", [0, -1, 201, 10**9])
def test_limits_out_of_range(limit: int) -> None:
    """1 to 200."""
    assert positions.check_limit(200) == 200
    with pytest.raises(InputError, match="between 1 and 200"):
        positions.check_limit(limit)
