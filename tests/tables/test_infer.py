"""What each column is: the rules, and their edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.tables import read
from pynomaly.tables.infer import LONG_TEXT, SOME_ROWS


def column(values):
    with read({"x": values, "other": list(range(0, 7 * len(values), 7))}) as table:
        return table.columns[0]


RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (range(100), "id"),
        (range(1, 101), "id"),
        (RANDOM.permutation(100).tolist(), "id"),
        ([*range(97), 5, 6, 7], "id"),
        ([float(i) for i in range(100)], "id"),
        ([i + 0.5 for i in range(100)], "number"),
        (RANDOM.normal(size=100).tolist(), "number"),
        (RANDOM.integers(0, 10**9, 100).tolist(), "number"),
        ([2 * i for i in range(100)], "number"),
        ([i // 2 for i in range(100)], "number"),
        (range(SOME_ROWS - 1), "number"),
        ([0, 1] * 50, "number"),
        ([7] * 100, "constant"),
        ([None] * 100, "constant"),
        ([7.5, *[None] * 99], "number"),  # that it is there tells something
        (["x", *[None] * 99], "category"),
        (["same"] * 100, "constant"),
        ([f"user-{i}" for i in range(100)], "id"),
        ([f"user-{i}" for i in range(95)] + ["user-1"] * 5, "id"),
        ([f"user-{i // 2}" for i in range(100)], "category"),
        ([f"user-{i // 2}" for i in range(98)] + ["z", "z"], "category"),
        ([f"user-{i}" for i in range(70)] + ["again"] * 30, "text"),
        (["a", "b", "c", "d", "e"], "category"),
        (["a", "b", "x" * (LONG_TEXT + 1)] * 50, "text"),
        ([True, False] * 50, "category"),
    ],
)
def test_types(values, type_):
    found = column(list(values))
    assert found.type == type_
    assert (found.unused is None) == (type_ in ("number", "category", "timestamp"))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([None] * 20, "every value is missing"),
        ([1] * 20, "every value is the same"),
        (list(range(20)), "consecutive whole numbers"),
        ([f"k{i}" for i in range(20)], "nearly all different"),
        (["x" * 300, "y"] * 20, "the longest cell has 300 characters"),
        ([f"k{i}" for i in range(70)] + ["again"] * 30, "71 different values in 100 rows"),
    ],
)
def test_the_reason_for_leaving_a_column_out(values, reason):
    assert reason in column(values).unused


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.floats(-1e6, 1e6).filter(lambda value: value != int(value)), min_size=2, max_size=50, unique=True
    )
)
def test_measured_numbers_are_never_identifiers(values):
    assert column(values).type == "number"


@settings(deadline=None, max_examples=40)
@given(st.integers(-(10**12), 10**12), st.integers(SOME_ROWS, 60), st.randoms())
def test_consecutive_numbers_are_identifiers_in_any_order(start, n, random):
    values = list(range(start, start + n))
    random.shuffle(values)
    assert column(values).type == "id"


def test_many_columns():
    with read({f"c{i}": [i, i + 1, i + 0.5] for i in range(350)}) as table:
        assert {found.type for found in table.columns} == {"number"}
