"""Frames, arrays, lists and dicts become the same tables."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pynomaly.errors import BadColumns, NonFiniteValue, TableEmpty, UnknownFormat
from pynomaly.tables import read
from pynomaly.tables.values import as_column

WHEN = [datetime(2024, 1, 2, 3, tzinfo=UTC), None, datetime(2024, 1, 4, tzinfo=UTC)]
COLUMNS = {
    "whole": [1, 2, 4],
    "real": [1.5, None, 2.5],
    "word": ["a", None, "b"],
    "flag": [True, False, True],
    "when": WHEN,
}
ROWS = [
    {"whole": 1, "real": 1.5, "word": "a", "flag": "true", "when": "2024-01-02T03:00:00"},
    {"whole": 2, "real": None, "word": None, "flag": "false", "when": None},
    {"whole": 4, "real": 2.5, "word": "b", "flag": "true", "when": "2024-01-04T00:00:00"},
]


def types(source):
    with read(source) as table:
        return [column.type for column in table.columns]


@pytest.mark.parametrize(
    "make", [dict, pd.DataFrame, pl.DataFrame, pa.table, lambda c: pl.DataFrame(c).lazy()]
)
def test_all_frames_are_equal(make):
    with read(make(COLUMNS)) as table:
        assert [column.type for column in table.columns] == [
            "number",
            "number",
            "category",
            "category",
            "timestamp",
        ]
        assert table.rows(range(3)) == ROWS


def test_pandas_own_types():
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "code": pd.Categorical(["x", "y", "x"]),
            "mixed": [1, "x", None],
            "money": [Decimal("1.5"), None, Decimal("2")],
            "day": [date(2024, 1, 1), None, date(2024, 1, 2)],
            "span": pd.to_timedelta([1, None, 3], unit="s"),
            "zone": pd.to_datetime(["2024-01-01 10:00"] * 3).tz_localize("Europe/Paris"),
        }
    )
    with read(frame) as table:
        assert table.rows([0, 1]) == [
            {
                "whole": 1.0, "flag": "true", "code": "x", "mixed": "1", "money": 1.5,
                "day": "2024-01-01T00:00:00", "span": 1.0, "zone": "2024-01-01T09:00:00",
            },
            {
                "whole": None, "flag": None, "code": "y", "mixed": "x", "money": None,
                "day": None, "span": None, "zone": "2024-01-01T09:00:00",
            },
        ]  # fmt: skip


def test_polars_own_types():
    frame = pl.DataFrame(
        {
            "byte": pl.Series([1, 2, 7], dtype=pl.UInt8),
            "day": [date(2024, 1, 1), None, date(2024, 1, 2)],
            "time": [time(1, 2), None, time(3, 4)],
            "list": [[1], [2, 3], None],
            "money": pl.Series(["1.50", "2.50", None]).cast(pl.Decimal(10, 2)),
        }
    )
    with read(frame) as table:
        assert table.rows([0]) == [
            {"byte": 1, "day": "2024-01-01T00:00:00", "time": "01:02:00", "list": "[1]", "money": 1.5}
        ]


def test_names_that_are_numbers():
    with read(pd.DataFrame(np.arange(6.0).reshape(3, 2))) as table:
        assert [column.name for column in table.columns] == ["0", "1"]


@pytest.mark.parametrize("source", [np.arange(20).reshape(10, 2), np.arange(20).reshape(10, 2).tolist()])
def test_columns_of_arrays_are_numbers_and_never_identifiers(source):
    with read(source) as table:
        assert [(c.name, c.type) for c in table.columns] == [("column_0", "number"), ("column_1", "number")]
        assert table.rows([1]) == [{"column_0": 2.0, "column_1": 3.0}]


def test_identifiers_of_frames_are_found():
    assert types(pd.DataFrame({"id": range(100), "x": np.linspace(0, 1, 100)})) == ["id", "number"]


def test_masked_and_structured_arrays():
    with read(np.ma.masked_invalid([[1, np.nan], [2, 3.5], [4, 5]])) as table:
        assert table.rows([0]) == [{"column_0": 1.0, "column_1": None}]
    with read(np.array([(1, "x"), (2, "y")], dtype=[("p", "i4"), ("q", "U3")])) as table:
        assert table.rows([1]) == [{"p": 2, "q": "y"}]


def test_text_that_looks_like_numbers_stays_text():
    assert types({"zip": ["01234", "01235", "01234"]}) == ["category"]


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (np.zeros(3), UnknownFormat, "2 dimensions"),
        ([], UnknownFormat, "2 dimensions"),
        ([[1, 2], [3]], UnknownFormat, "rows of numbers, all of one length"),
        ([["a", "b"]], UnknownFormat, "rows of numbers"),
        (np.zeros((0, 2)), TableEmpty, "no rows"),
        (np.zeros((2, 0)), BadColumns, "no columns"),
        (np.array([[1.0, np.inf]]), NonFiniteValue, "'column_1' holds inf in row 0"),
        ({}, BadColumns, "no columns"),
        ({"a": []}, TableEmpty, "no rows"),
        ({"a": [1, 2], "b": [1]}, BadColumns, "different numbers of values: 1, 2"),
        ({"": [1]}, BadColumns, "Column 1 has no name"),
        ({"a": [10**400, 1]}, NonFiniteValue, "'a' holds inf"),
        ({"a": np.zeros((2, 2))}, BadColumns, "1 dimension"),
        ({"a": np.zeros(2, complex)}, BadColumns, "complex128"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), BadColumns, "'a'"),
        (pd.DataFrame({"a": []}), TableEmpty, "no rows"),
        (pd.Series([1, 2]), UnknownFormat, "'Series'"),
        (42, UnknownFormat, "'int'"),
        (None, UnknownFormat, "'NoneType'"),
        (b"a,b", UnknownFormat, "'bytes'"),
    ],
)
def test_sources_that_cannot_be_used(source, error, message):
    with pytest.raises(error, match=message):
        read(source)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3], np.array([1, 2, 3])),
        ([1, None], np.array([1.0, np.nan])),
        ([2**70, 1], np.array([2.0**70, 1.0])),
        ([1, 2.5, Decimal("3.5")], np.array([1.0, 2.5, 3.5])),
        ([np.float32(1.5), np.int8(2)], np.array([1.5, 2.0])),
        (["a", None, float("nan"), pd.NA, pd.NaT], np.array(["a", None, None, None, None], object)),
        ([True, "a", 1, 1.5, b"\xff"], np.array(["true", "a", "1", "1.5", "\ufffd"], object)),
        (
            [date(2024, 1, 2), datetime(2024, 1, 3, tzinfo=UTC)],
            np.array(["2024-01-02", "2024-01-03"], "M8[us]"),
        ),
        (np.array([1, 2], np.float16), np.array([1.0, 2.0])),
        (np.array([1500, "NaT"], "m8[ms]"), np.array([1.5, np.nan])),
        (np.array(["2024-01-02"], "M8[D]"), np.array(["2024-01-02"], "M8[us]")),
        (np.array([True, False]), np.array(["true", "false"], object)),
        (np.ma.masked_equal([1, 2], 2), np.array([1.0, np.nan])),
        (np.array(["x", "y"]), np.array(["x", "y"], object)),
    ],
)
def test_columns(values, expected):
    found = as_column(values)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("value", [1, "abc", b"abc", None])
def test_a_dict_of_single_values_is_refused(value):
    with pytest.raises(BadColumns, match="sequence of values"):
        read({"a": value})


def test_complex_numbers_are_refused_not_cut_down_to_their_real_part():
    with pytest.raises(UnknownFormat, match="complex"):
        read(np.array([[1 + 2j, 3], [2, 4]]))


def test_a_frame_with_a_name_twice_is_refused_in_one_line():
    with pytest.raises(BadColumns, match="'a' 2 times") as caught:
        read(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))
    assert "\n" not in caught.value.message
