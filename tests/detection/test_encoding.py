"""The encoder: typed columns become a matrix, each row by itself, and tables of another shape are refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.columns import Column, ColumnData, Levels
from pynomaly.detection.encoding import Encoder, as_matrix
from pynomaly.detection.features import (
    LEVELS_MOST,
    CategoryFeatures,
    NumberFeatures,
    TimestampFeatures,
    column_of,
)
from pynomaly.errors import BadBundle, NonFiniteValue, NoUsableColumns, SchemaMismatch


def frame_of(**columns):
    """Make a frame; the first value that is there tells the type."""
    return {name: column_of(Column(name, kind), cells) for name, (kind, cells) in columns.items()}


def rows_of(frame, rows):
    """Take some rows of a frame."""

    def pick(values):
        return Levels(values.codes[rows], values.levels) if isinstance(values, Levels) else values[rows]

    return {name: ColumnData(data.column, pick(data.values)) for name, data in frame.items()}


NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
LEVELS = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "ü", ""]))
TIMES = st.one_of(
    st.none(), st.datetimes().map(lambda at: at.replace(microsecond=at.microsecond).isoformat())
)


@st.composite
def frames(draw, least=2):
    """Frames of three columns of different types, in which each has a value or more."""
    n = draw(st.integers(least, 12))

    def cells(each, kind):
        return kind, draw(
            st.lists(each, min_size=n, max_size=n).filter(lambda c: any(x is not None for x in c))
        )

    return frame_of(x=cells(NUMBERS, "number"), kind=cells(LEVELS, "category"), at=cells(TIMES, "timestamp"))


@given(frames(), st.data())
@settings(deadline=None, max_examples=60)
def test_a_row_is_encoded_alike_in_any_batch_and_column_order(frame, data):
    encoder = Encoder.fit(frame)
    whole = encoder.transform(frame)
    n = len(whole)
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=20)))
    part = dict(reversed(rows_of(frame, rows).items()))
    part["extra"] = part["x"]
    assert (encoder.transform(part) == whole[rows]).all()


@given(frames())
@settings(deadline=None, max_examples=60)
def test_json_gives_the_same_encoder_back(frame):
    encoder = Encoder.fit(frame)
    again = Encoder.from_json(json.loads(json.dumps(encoder.json())))
    assert again == encoder
    assert (again.transform(frame) == encoder.transform(frame)).all()


@given(frames())
@settings(deadline=None, max_examples=60)
def test_the_matrix_is_finite_ordered_and_as_wide_as_said(frame):
    encoder = Encoder.fit(frame)
    X = encoder.transform(frame)
    assert np.isfinite(X).all()
    assert X.flags.c_contiguous
    assert X.dtype == np.float64
    assert X.shape[1] == encoder.width == sum(len(f.names) for f in encoder.features.values())
    assert (np.diff(encoder.sources) >= 0).all()


def test_missing_numbers_take_the_median_and_an_indicator_only_if_training_had_them():
    encoder = Encoder.fit(frame_of(x=("number", [1.0, None, 3.0, 100.0]), y=("number", [1.0, 2.0, 3.0, 4.0])))
    assert encoder.transform(frame_of(x=("number", [None, 7.0]), y=("number", [None, 9.0]))).tolist() == [
        [3.0, 1.0, 2.5],
        [7.0, 0.0, 9.0],
    ]


def test_the_median_of_huge_numbers_does_not_overflow():
    assert NumberFeatures.fit(np.array([1.7e308, 1.7e308])).median == 1.7e308


def test_a_category_is_encoded_by_rarity_and_an_unseen_level_is_the_rarest():
    frame = frame_of(kind=("category", ["a"] * 6 + ["b"] * 3 + ["c"]))
    encoder = Encoder.fit(frame)
    new = encoder.transform(frame_of(kind=("category", ["a", "b", "c", "new", None])))[:, 0]
    assert new[:3] == pytest.approx([-math.log(0.6), -math.log(0.3), -math.log(0.1)])
    assert new[3] == new[4] == pytest.approx(math.log(20))


def test_two_levels_give_an_indicator_of_the_rarer_one():
    features = CategoryFeatures.fit(Levels(np.array([0, 0, 1], np.int32), ("a", "b")))
    assert features.names == ("is b",)
    out = np.zeros((3, 1))
    features.write(Levels(np.array([0, 1, 2], np.int32), ("a", "b", "unseen")), out)
    assert out[:, 0].tolist() == [0.0, 1.0, 1.0]


def test_missing_is_a_level_where_training_had_it():
    features = CategoryFeatures.fit(Levels(np.array([0, 0, -1], np.int32), ("a",)))
    assert features.levels == ("a", None)
    assert features.names == ("missing",)


def test_only_the_most_frequent_levels_are_remembered():
    n = LEVELS_MOST + 500
    codes = np.concatenate([np.arange(n), np.arange(10)]).astype(np.int32)
    features = CategoryFeatures.fit(Levels(codes, tuple(f"level{i:06}" for i in range(n))))
    assert len(features.levels) == LEVELS_MOST
    assert features.pooled == 1.0
    out = np.zeros((1, 1))
    features.write(Levels(np.array([0], np.int32), (f"level{n - 1:06}",)), out)
    assert out[0, 0] == pytest.approx(math.log(len(codes)))


@pytest.mark.parametrize(
    ("times", "cycles"),
    [
        (["2026-01-01T08:00", "2026-01-02T09:00"], ("time of day",)),
        (["2026-01-01T00:00", "2026-01-20T00:00"], ("day of week",)),
        (["2020-01-01T12:00", "2026-01-20T00:00"], ("time of day", "day of week", "time of year")),
    ],
)
def test_a_timestamp_is_placed_in_the_cycles_that_training_shows(times, cycles):
    features = TimestampFeatures.fit(np.array(times, "datetime64[us]"))
    assert features.cycles == cycles
    assert len(features.names) == 2 * len(cycles)


def test_the_same_time_of_day_has_the_same_features_on_any_day():
    encoder = Encoder.fit(frame_of(at=("timestamp", ["2026-01-01T06:00", "2026-01-02T18:00"])))
    X = encoder.transform(
        frame_of(at=("timestamp", ["1969-05-05T06:00", "2031-01-01T06:00", "2026-01-01T12:00"]))
    )
    assert pytest.approx(np.array([[1, 0], [1, 0], [0, -1]]), abs=1e-9) == X


def test_a_missing_timestamp_is_in_the_middle_with_an_indicator():
    encoder = Encoder.fit(frame_of(at=("timestamp", ["2026-01-01T06:00", None])))
    assert encoder.transform(frame_of(at=("timestamp", [None]))).tolist() == [[0.0, 0.0, 1.0]]


def test_columns_with_nothing_to_compare_are_left_out_and_said_so():
    constant = ColumnData(Column("c", "constant", "every value is the same"), np.ones(3))
    frame = frame_of(
        x=("number", [1.0, 2.0, 3.0]), dates=("timestamp", ["2026-01-01", "2026-01-02", "2026-01-03"])
    )
    encoder = Encoder.fit({"c": constant} | frame)
    assert encoder.names == ("x",)
    assert [c.unused for c in encoder.schema] == [
        "every value is the same",
        None,
        "it holds nothing to compare rows by",
    ]


@pytest.mark.parametrize(
    "frame",
    [
        {},
        frame_of(x=("number", [None, None])),
        {"c": ColumnData(Column("c", "constant", "every value is the same"), np.ones(2))},
    ],
)
def test_no_usable_column_is_refused(frame):
    with pytest.raises(NoUsableColumns, match="No column can be used"):
        Encoder.fit(frame)


def test_the_reasons_of_many_unusable_columns_are_cut_short():
    frame = {f"c{i}": ColumnData(Column(f"c{i}", "constant", "all alike"), np.ones(2)) for i in range(9)}
    with pytest.raises(NoUsableColumns, match="…"):
        Encoder.fit(frame)


def test_missing_and_retyped_columns_are_refused_all_by_name():
    encoder = Encoder.fit(
        frame_of(a=("number", [1.0, 2.0]), b=("number", [1.0, 2.0]), c=("category", ["x", "y"]))
    )
    with pytest.raises(
        SchemaMismatch, match=r"no column 'a'.*'b' was number in training and is category"
    ) as caught:
        encoder.transform(frame_of(b=("category", ["x", "y"]), c=("number", [1.0, 2.0])))
    assert caught.value.details["missing"] == ["a"]
    assert caught.value.details["retyped"] == {
        "b": {"trained": "number", "found": "category"},
        "c": {"trained": "category", "found": "number"},
    }


def test_many_missing_columns_are_counted_past_the_first_ten():
    encoder = Encoder.fit(frame_of(**{f"c{i}": ("number", [1.0, 2.0]) for i in range(15)}))
    with pytest.raises(SchemaMismatch, match="and 5 more"):
        encoder.transform(frame_of(other=("number", [1.0])))
    retyped = frame_of(**{f"c{i}": ("category", ["x"]) for i in range(15)})
    with pytest.raises(SchemaMismatch, match="and 5 more columns"):
        encoder.transform(retyped)


def test_whole_numbers_fit_a_category_that_had_them_as_levels():
    encoder = Encoder.fit(frame_of(k=("category", ["1", "2", "x", "x", None])))
    as_numbers = encoder.transform(frame_of(k=("number", [2.0, None, 1.0])))
    assert (as_numbers == encoder.transform(frame_of(k=("category", ["2", None, "1"])))).all()
    for cells in ([1.0, 3.0], [1.5]):
        with pytest.raises(SchemaMismatch, match="'k' was category in training and is number here"):
            encoder.transform(frame_of(k=("number", cells)))


@pytest.mark.parametrize("kind", ["number", "category", "timestamp"])
@pytest.mark.parametrize("found", ["number", "category", "timestamp"])
def test_a_wholly_missing_column_fits_any_type(kind, found):
    cells = {
        "number": [1.0, 2.0],
        "category": ["x", "y"],
        "timestamp": ["2026-01-01T03:00", "2026-01-01T04:00"],
    }
    encoder = Encoder.fit(frame_of(c=(kind, cells[kind])))
    assert np.isfinite(encoder.transform(frame_of(c=(found, [None, None])))).all()


def test_an_array_is_encoded_as_the_table_is():
    frame = frame_of(a=("number", [1.0, None, 4.0]), b=("number", [5.0, 6.0, 7.0]))
    encoder = Encoder.fit(frame)
    X = np.array([[1.0, 5.0], [np.nan, 6.0], [4.0, 7.0]])
    assert (encoder.transform_array(X) == encoder.transform(frame)).all()


def test_unused_columns_of_an_array_are_skipped():
    frame = frame_of(a=("number", [1.0, 2.0]), c=("number", [None, None]), b=("number", [5.0, 6.0]))
    encoder = Encoder.fit(frame)
    assert encoder.transform_array(np.array([[1.0, np.nan, 5.0]])).tolist() == [[1.0, 5.0]]


def test_an_array_of_another_shape_or_with_infinities_is_refused():
    encoder = Encoder.fit(frame_of(a=("number", [1.0, 2.0]), b=("number", [5.0, 6.0])))
    with pytest.raises(SchemaMismatch, match="3 columns; the detector was trained on 2"):
        encoder.transform_array(np.zeros((1, 3)))
    with pytest.raises(SchemaMismatch, match="1 dimensions"):
        encoder.transform_array(np.zeros(3))
    with pytest.raises(NonFiniteValue, match="Row 1 has an infinite value in column 'b'"):
        encoder.transform_array(np.array([[1.0, np.nan], [2.0, -np.inf]]))


def test_an_array_cannot_stand_for_a_category():
    encoder = Encoder.fit(frame_of(a=("number", [1.0, 2.0]), k=("category", ["x", "y"])))
    with pytest.raises(SchemaMismatch, match="column 'k' as a category"):
        encoder.transform_array(np.zeros((1, 2)))


def test_only_matrices_of_numbers_take_the_short_cut():
    assert as_matrix([[1.0]]) is None
    assert as_matrix(np.zeros(3)) is None
    assert as_matrix(np.array([["x"]])) is None
    assert as_matrix(np.array([[1]])).dtype == np.float64


def state():
    return Encoder.fit(
        frame_of(
            x=("number", [1.0, None]),
            k=("category", ["x", "y"]),
            t=("timestamp", ["2026-01-01T03:00", "2026-01-01T04:00"]),
        )
    ).json()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s.pop("schema"),
        lambda s: s.update(schema=[]),
        lambda s: s.update(schema=s["schema"] + s["schema"][:1]),
        lambda s: s["schema"][0].update(name=3),
        lambda s: s["schema"][0].update(more=3),
        lambda s: s.update(features=s["features"][:1]),
        lambda s: s["features"][0].update(kind="other"),
        lambda s: s["features"][0].update(kind=["number"]),
        lambda s: s["features"][0].update(median="1"),
        lambda s: s["features"][0].update(median=True),
        lambda s: s["features"][0].update(median=math.inf),
        lambda s: s["features"][0].update(indicator=1),
        lambda s: s["features"][1].update(levels="xy"),
        lambda s: s["features"][1].update(levels=["x", "x"]),
        lambda s: s["features"][1].update(levels=["x", 3]),
        lambda s: s["features"][1].update(levels=["x", ["y"]]),
        lambda s: s["features"][1].update(levels=[], counts=[]),
        lambda s: s["features"][1].update(counts=[1, 0]),
        lambda s: s["features"][1].update(counts=[1, 10**20]),
        lambda s: s["features"][1].update(rows=None),
        lambda s: s["features"][1].update(pooled=-1),
        lambda s: s["features"][2].update(cycles="time of day"),
        lambda s: s["features"][2].update(cycles=["time of night"]),
        lambda s: s["features"][2].update(cycles=[["time of day"]]),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(spoil):
    spoiled = state()
    spoil(spoiled)
    with pytest.raises(BadBundle, match="columns in the model file make no sense"):
        Encoder.from_json(spoiled)
