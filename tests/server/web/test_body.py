"""Only JSON that a database can hold and an answer can give back gets in."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynomaly.errors import BadRequest, BadValue
from pynomaly.server.web.body import check_form, check_json

NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_every_honest_value_gets_in(value: object, escaped: bool) -> None:
    check_json(json.dumps(value, ensure_ascii=escaped).encode())


@given(st.binary(max_size=60) | TEXTS.map(str.encode))
def test_nothing_else_gets_in_and_nothing_breaks(body: bytes) -> None:
    try:
        check_json(body)
    except (BadRequest, BadValue):
        return
    json.dumps(json.loads(body), allow_nan=False).encode()


@given(VALUES, st.sampled_from([math.nan, math.inf, -math.inf, 2**63, -(2**64), "\ud800", "a\0b", "\udc00"]))
def test_one_bad_value_anywhere_is_found(value: object, bad: object) -> None:
    for body in (json.dumps([value, {"deep": [bad]}]), json.dumps([{"deep": bad}, value])):
        with pytest.raises(BadValue):
            check_json(body.encode())


@given(TEXTS, TEXTS)
def test_bad_keys_are_found_and_backslashes_are_no_escapes(left: str, right: str) -> None:
    check_json(json.dumps([left + "\\u0000" + right]).encode())
    with pytest.raises(BadValue):
        check_json(json.dumps({left + "\0": 1}).encode())


def test_numbers_that_python_reads_as_infinite_are_found() -> None:
    check_json(b"[1e308, -1e308, 1e-400]")
    for number in (b"1e309", b"-1e400", b"1" + b"0" * 400 + b".0"):
        with pytest.raises(BadValue):
            check_json(b"[" + number + b"]")


def test_forms_without_nul_get_in() -> None:
    check_form(b"a=1&b=%30%30")
    for body in (b"a=%00", b"a=\0"):
        with pytest.raises(BadValue):
            check_form(body)
