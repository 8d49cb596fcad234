"""The nearest normal row: found as by a full search, and kept with the model."""

import json

import numpy as np
import pytest

from pynomaly.columns import Column, Levels
from pynomaly.detection.encoding import Encoder
from pynomaly.detection.features import column_of
from pynomaly.detection.nearest import CELLS_MOST, ROWS_LEAST, ROWS_MOST, NormalRows
from pynomaly.errors import BadBundle

N = 2000
RNG = np.random.default_rng(3)


def table(n=N):
    kinds = RNG.choice(["a", "b", "c", "d"], n, p=[0.5, 0.2, 0.2, 0.1]).tolist()
    return {
        "x": column_of(
            Column("x", "number"), [None if i % 50 == 1 else v for i, v in enumerate(RNG.normal(size=n))]
        ),
        "y": column_of(Column("y", "number"), (1000 * RNG.normal(size=n)).tolist()),
        "k": column_of(Column("k", "category"), [None if i % 40 == 2 else k for i, k in enumerate(kinds)]),
        "t": column_of(
            Column("t", "timestamp"), [f"2026-01-{1 + i % 28:02}T{i % 24:02}:00:00" for i in range(n)]
        ),
    }


FRAME = table()
SCORES = RNG.random(N)
ENCODER = Encoder.fit(FRAME)
NORMAL = NormalRows.fit(FRAME, ENCODER, SCORES, seed=1)


def rows_of(frame, places):
    def pick(values):
        return Levels(values.codes[places], values.levels) if isinstance(values, Levels) else values[places]

    return {name: type(data)(data.column, pick(data.values)) for name, data in frame.items()}


def test_rows_with_high_scores_are_not_normal():
    assert len(NORMAL.rows) == ROWS_MOST
    assert (SCORES[NORMAL.rows] <= np.quantile(SCORES, 0.75)).all()
    assert len(set(NORMAL.rows.tolist())) == ROWS_MOST


def test_a_kept_row_is_its_own_nearest_row_with_its_values():
    for found, row in zip(NORMAL.nearest(rows_of(FRAME, NORMAL.rows[:40])), NORMAL.rows[:40], strict=True):
        assert found["row"] == row
        x = FRAME["x"].values[row]
        assert found["values"]["x"] == (None if np.isnan(x) else x)
        assert found["values"]["y"] == FRAME["y"].values[row]
        code = FRAME["k"].values.codes[row]
        assert found["values"]["k"] == (None if code < 0 else FRAME["k"].values.levels[code])
        assert found["values"]["t"] == FRAME["t"].values[row].item().isoformat()


def test_a_column_that_is_far_off_counts_as_much_as_another_level():
    columns = {
        "x": column_of(Column("x", "number"), [0.0, 0.1, -0.1, 0.05] * 10 + [3.0]),
        "k": column_of(Column("k", "category"), ["p", "q", "r", "s"] * 10 + ["p"]),
    }
    encoder = Encoder.fit(columns)
    normal = NormalRows.fit(columns, encoder, np.zeros(41), seed=0)
    odd = {
        "x": column_of(Column("x", "number"), [1e9, 0.1]),
        "k": column_of(Column("k", "category"), ["q", "never seen"]),
    }
    first, second = normal.nearest(odd)
    assert first["values"] == {"x": 0.1, "k": "q"}  # as rare as "r", but the same level
    assert second["values"] == {"x": 0.1, "k": "q"}


def test_the_sample_of_a_wide_table_is_small():
    rows = 200
    wide = {
        f"c{j}": column_of(Column(f"c{j}", "number"), RNG.normal(size=rows).tolist()) for j in range(1000)
    }
    normal = NormalRows.fit(wide, Encoder.fit(wide), np.zeros(rows), seed=0)
    assert len(normal.rows) == max(ROWS_LEAST, CELLS_MOST // 1000)


def test_numbers_of_a_sample_become_numbers_of_its_table():
    numbers = np.arange(N) * 10 + 3
    assert (NORMAL.numbered(numbers).rows == NORMAL.rows * 10 + 3).all()


def test_the_same_after_being_kept():
    state = json.loads(json.dumps(NORMAL.json()))
    again = NormalRows.from_state(state, NORMAL.arrays(), ENCODER)
    rows = rows_of(FRAME, np.arange(100))
    assert again.nearest(rows) == NORMAL.nearest(rows)
    assert NORMAL.nearest(rows_of(FRAME, np.arange(0))) == []


@pytest.mark.parametrize("name", ["rows", "number", "timestamp", "category"])
@pytest.mark.parametrize("spoil", ["missing", "dtype", "shape", "empty"])
def test_spoilt_arrays_are_refused(name, spoil):
    arrays = NORMAL.arrays()
    if spoil == "missing":
        del arrays[name]
    else:
        arrays[name] = {
            "dtype": arrays[name].astype(np.float32),
            "shape": arrays[name][None],
            "empty": arrays[name][:0],
        }[spoil]
    with pytest.raises(BadBundle, match="normal rows"):
        NormalRows.from_state(NORMAL.json(), arrays, ENCODER)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", -1),
        ("number", np.inf),
        ("timestamp", 2**62),
        ("timestamp", -(2**62)),
        ("category", 9),
        ("category", -2),
    ],
)
def test_values_out_of_range_are_refused(name, value):
    arrays = {key: array.copy() for key, array in NORMAL.arrays().items()}
    arrays[name].flat[0] = value
    with pytest.raises(BadBundle, match="normal rows"):
        NormalRows.from_state(NORMAL.json(), arrays, ENCODER)


@pytest.mark.parametrize(
    "levels", [None, [], [["a"], ["b"]], [["a", "a", "b", "c"]], [[1, 2, 3, 4]], ["abcd"]]
)
def test_levels_that_make_no_sense_are_refused(levels):
    with pytest.raises(BadBundle, match="normal rows"):
        NormalRows.from_state(levels, NORMAL.arrays(), ENCODER)
