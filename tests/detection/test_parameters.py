"""Parameters: what they take, what they refuse, and what they say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynomaly.detection.parameters import Parameter
from pynomaly.errors import BadParameter

COUNT = Parameter("count", "int", 5, "A count.", 1, 10)
SHARE = Parameter("share", "float", 0.5, "A share.", 0.0, 1.0, exclusive_minimum=True, exclusive_maximum=True)
GAMMA = Parameter("gamma", "float", "scale", "Reach.", 0.0, exclusive_minimum=True, choices=("scale", "auto"))
SAMPLES = Parameter("samples", "count_or_share", "auto", "Rows.", 2, choices=("auto",))
FLAG = Parameter("flag", "bool", False, "A flag.")
KIND = Parameter("kind", "choice", "a", "A kind.", choices=("a", "b"))
FREE = Parameter("free", "float", 0.0, "Any number.")


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (COUNT, 1, 1), (COUNT, 10, 10), (COUNT, 3.0, 3), (COUNT, np.int32(4), 4), (COUNT, np.float32(4), 4),
        (SHARE, 0.25, 0.25), (SHARE, np.float32(0.25), 0.25), (GAMMA, "auto", "auto"), (GAMMA, 3, 3.0),
        (SAMPLES, "auto", "auto"), (SAMPLES, 256, 256), (SAMPLES, 0.5, 0.5), (SAMPLES, 1, 1.0),
        (SAMPLES, 2.0, 2),
        (FLAG, True, True), (KIND, "b", "b"), (FREE, -1e300, -1e300),
    ],
)  # fmt: skip
def test_takes(parameter, value, expected):
    checked = parameter.check(value, "it")
    assert checked == expected
    assert type(checked) is type(expected)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (COUNT, 0), (COUNT, 11), (COUNT, 1.5), (COUNT, True), (COUNT, None), (COUNT, "5"), (COUNT, [5]),
        (COUNT, math.nan), (COUNT, math.inf), (COUNT, 10**400), (SHARE, 0), (SHARE, 1), (SHARE, 1j),
        (GAMMA, 0), (GAMMA, "wide"), (SAMPLES, 0), (SAMPLES, -3), (SAMPLES, 1.5), (SAMPLES, 0.0),
        (FLAG, 1), (FLAG, "true"), (KIND, "c"), (KIND, 1), (KIND, None), (FREE, math.nan), (FREE, "x" * 500),
    ],
)  # fmt: skip
def test_refuses_and_names_everything(parameter, value):
    with pytest.raises(BadParameter, match=f"Parameter {parameter.name} of it is .*, not ") as caught:
        parameter.check(value, "it")
    assert len(caught.value.message) < 250
    assert caught.value.details["parameter"] == parameter.name
    assert caught.value.details["allowed"] == parameter.allowed()


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (Parameter("budget", "int", 1, "", 1, 2**53), "a whole number from 1 up to 9007199254740992"),
        (COUNT, "a whole number from 1 up to 10"),
        (SHARE, "a number above 0 below 1"),
        (GAMMA, "'scale', 'auto' or a number above 0"),
        (SAMPLES, "'auto', a whole number of at least 2 or a share above 0 and at most 1"),
        (FLAG, "true or false"),
        (KIND, "'a' or 'b'"),
        (FREE, "a number"),
    ],
)
def test_says_what_is_allowed(parameter, words):
    assert parameter.allowed() == words


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (COUNT, " 7 ", 7), (COUNT, "7.0", 7), (SHARE, "1e-1", 0.1), (GAMMA, "auto", "auto"),
        (SAMPLES, "0.3", 0.3),
        (SAMPLES, "300", 300), (FLAG, "Yes", True), (FLAG, "off", False), (FLAG, "1", True), (KIND, "a", "a"),
    ],
)  # fmt: skip
def test_parses_text(parameter, text, value):
    parsed = parameter.parse(text)
    assert parsed == value
    assert type(parsed) is type(value)


@given(st.text(max_size=20), st.sampled_from([COUNT, SHARE, GAMMA, SAMPLES, FLAG, KIND, FREE]))
def test_any_text_parses_or_is_refused(text, parameter):
    try:
        value = parameter.parse(text)
    except BadParameter:
        return
    assert parameter.check(value) == value


def test_json_says_whether_auto_is_taken():
    assert GAMMA.json()["also_auto"] is True
    assert COUNT.json()["also_auto"] is False
    assert COUNT.json()["allowed"] == COUNT.allowed()
