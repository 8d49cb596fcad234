"""Reasons: contributions summed by column, ordered, with sentences that say what is unusual about a value."""

import json

import numpy as np
import pytest

from pynomaly.columns import Column
from pynomaly.detection.encoding import Encoder
from pynomaly.detection.explain import ALONE, TOGETHER, Explainer, by_column, plain
from pynomaly.detection.features import CategoryFeatures, column_of
from pynomaly.detection.typical import (
    SHARES,
    TypicalCategory,
    TypicalNumber,
    TypicalTimestamp,
    percent,
    quote,
    show,
)
from pynomaly.errors import BadBundle

OTHER = "nothing special"


def number_of(values):
    return TypicalNumber.fit(np.array(values, dtype=float))


def category_of(*cells):
    data = column_of(Column("k", "category"), cells)
    return TypicalCategory(CategoryFeatures.fit(data.values))


def timestamp_of(cells, cycles=("time of day", "day of week")):
    return TypicalTimestamp.fit(np.array(cells, dtype="datetime64[us]"), cycles)


THOUSAND = number_of(np.arange(1000.0))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (2000.0, "2,000, higher than in any training row (typically 500, mostly 50 to 949)"),
        (999.0, "999, the highest value in training (typically 500, mostly 50 to 949)"),
        (997.5, "997.5, higher than 99.8 % of rows (typically 500, mostly 50 to 949)"),
        (-1.0, "-1, lower than in any training row (typically 500, mostly 50 to 949)"),
        (0.0, "0, the lowest value in training (typically 500, mostly 50 to 949)"),
        (10.2, "10.2, lower than 98.9 % of rows (typically 500, mostly 50 to 949)"),
        (400.0, "400, nothing special (typically 500, mostly 50 to 949)"),
        (None, "missing, as in no row in training"),
    ],
)
def test_a_number_is_placed_among_the_training_rows(value, says):
    assert THOUSAND.compare(value, OTHER) == says


def test_the_range_is_left_out_when_nearly_all_values_are_the_same():
    assert (
        number_of([0.0] * 99 + [7.0]).compare(7.0, OTHER) == "7, the highest value in training (typically 0)"
    )


def test_a_value_between_two_groups_is_not_called_ordinary_by_itself():
    rng = np.random.default_rng(0)
    two = number_of([*rng.normal(-10, 0.5, 200), *rng.normal(10, 0.5, 200), 0.0])
    assert two.compare(0.0, OTHER).startswith(f"0, {ALONE} (typically")
    assert two.compare(10.0, OTHER).startswith("10, nothing special (typically")
    for values in (
        rng.normal(size=500),
        rng.lognormal(size=500),
        rng.integers(0, 4, 500),
        rng.uniform(size=60),
    ):
        typical = number_of(values)
        inner = values[np.argsort(values)[len(values) // 9 : -len(values) // 9]]
        assert not any(ALONE in typical.compare(float(value), OTHER) for value in inner)


def test_a_value_that_most_rows_lack_is_not_called_ordinary_by_itself():
    typical = number_of([np.nan] * 195 + [1.0, 2.0, 3.0, 4.0, 5.0])
    assert typical.compare(3.0, OTHER).startswith("3, though only 2.5 % of rows have a value (typically 3")
    assert "the highest" not in typical.compare(3.0, OTHER)
    assert typical.compare(9.0, OTHER).startswith(
        "9, higher than in any training row, though only 2.5 % of rows have a value (typically 3"
    )


def test_what_is_typical_of_a_number_ignores_missing_values():
    typical = number_of([1.0, 2.0, 3.0, np.nan])
    assert typical.expected == {"median": 2.0, "low": 1.0, "high": 3.0}
    assert typical.compare(None, OTHER) == "missing, as in 25 % of rows"


def test_shares_are_never_larger_than_the_true_ones():
    rng = np.random.default_rng(0)
    values = rng.choice(rng.normal(size=300), 3000)
    typical = number_of(values)
    assert len(typical.grid) == len(SHARES)
    for value in np.concatenate([values[:200], rng.normal(size=200)]):
        assert typical.below(value) <= (values < value).mean() + 1 / len(values)
        assert typical.above(value) <= (values > value).mean() + 1 / len(values)
        assert typical.below(value) >= (values < value).mean() - 0.007
        assert typical.above(value) >= (values > value).mean() - 0.007


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("new", "'new', never seen in training (most often 'a', 90 %)"),
        ("c", "'c', as in only 1 % of rows (most often 'a', 90 %)"),
        ("b", "'b', as in 8 % of rows: nothing special (most often 'a', 90 %)"),
        ("a", "'a', the most frequent value (90 % of rows), nothing special"),
        (None, "missing, as in only 1 % of rows (most often 'a', 90 %)"),
    ],
)
def test_a_category_is_compared_by_how_frequent_it_is(value, says):
    typical = category_of(*["a"] * 90, *["b"] * 8, "c", None)
    assert typical.compare(value, OTHER) == says
    assert typical.expected == {"most_frequent": "a", "share": 0.9}


def test_mostly_missing_categories():
    typical = category_of(*[None] * 9, "a")
    assert typical.compare("b", OTHER) == "'b', never seen in training (most often missing, 90 %)"
    assert typical.compare(None, OTHER) == "missing, the most frequent value (90 % of rows), nothing special"


DAYS = [f"2026-01-{5 + i % 5:02}T{9 + i % 8:02}:30" for i in range(400)]  # Monday to Friday, 9 to 17


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            "2026-01-06T03:10:00",
            "2026-01-06 03:10; no rows fall from 03:00 to 04:00 (busiest hour 09:00, 12 %)",
        ),
        ("2026-01-10T10:10:00", "2026-01-10 10:10; no rows fall on a Saturday (busiest day Monday, 20 %)"),
        ("2026-01-06T10:10:00", "2026-01-06 10:10, nothing special"),
        ("2026-01-06T11:10:00+01:00", "2026-01-06 10:10, nothing special"),
        (None, "missing, as in no row in training"),
    ],
)
def test_a_timestamp_is_placed_in_its_hour_and_weekday(value, says):
    assert timestamp_of(DAYS).compare(value, OTHER) == says


def test_dates_are_compared_by_weekday_only():
    typical = timestamp_of(
        [f"2026-01-{day:02}" for day in range(5, 10)] * 20 + ["2026-01-10"], ("day of week",)
    )
    assert typical.compare("2026-01-17", OTHER).startswith(
        "2026-01-17 00:00; only 1 % of rows fall on a Saturday"
    )
    assert typical.expected["busiest_weekday"] == "Monday"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.998, "99.8 %"),
        (0.9996, "99.96 %"),
        (0.00021, "0.021 %"),
        (1e-6, "less than 0.01 %"),
    ],
)
def test_percentages_never_round_to_all_or_nothing(share, text):
    assert percent(share) == text


def test_numbers_for_people():
    assert [show(v) for v in (1.0, -1234567.0, 1234.56, 0.00012345, 1e20, -0.5)] == [
        "1",
        "-1,234,567",
        "1,235",
        "0.0001234",
        "1e+20",
        "-0.5",
    ]
    assert quote("x" * 100) == "'" + "x" * 39 + "…'"


def frame():
    return {
        "x": column_of(Column("x", "number"), [1.0, 2.0, None, 50.0]),
        "k": column_of(Column("k", "category"), ["a", "b", "c", None]),
        "t": column_of(
            Column("t", "timestamp"), ["2026-01-01T03:00:00", None, "2026-02-01T04:00:00", "2026-01-09"]
        ),
    }


def test_the_features_of_a_column_are_summed():
    sources = np.array([0, 0, 1, 2, 2, 2])
    parts = by_column(np.arange(12.0).reshape(2, 6), sources)
    assert parts.tolist() == [[1, 2, 12], [13, 8, 30]]


def test_reasons_are_ordered_and_leave_out_columns_that_add_little_or_nothing():
    encoder = Encoder.fit(frame())
    explainer = Explainer.fit(frame(), encoder)
    contributions = np.zeros((4, encoder.width))
    first = {int(s): int(np.flatnonzero(encoder.sources == s)[0]) for s in range(3)}
    contributions[0, first[0]], contributions[0, first[1]] = 1.0, 3.0
    contributions[1, first[0]], contributions[1, first[2]] = 5.0, 0.1
    contributions[2, first[1]] = -1.0
    contributions[3] = 1.0
    found = explainer.reasons(frame(), encoder, contributions)
    assert [[r.column for r in row] for row in found[:3]] == [["k", "x"], ["x"], []]
    assert [r.contribution for r in found[0]] == [3.0, 1.0]
    assert found[0][0].value == "a"
    assert found[0][0].text.startswith("k is 'a', ")
    assert {r.column: r.value for r in found[3]} == {"t": "2026-01-09T00:00:00", "x": 50.0, "k": None}
    assert len(explainer.reasons(frame(), encoder, contributions, most=1)[3]) == 1
    assert json.loads(json.dumps(found[3][0].json()))["column"] == "t"


def test_a_usual_value_is_said_to_be_unusual_in_combination_if_there_are_other_columns():
    two = {
        "x": column_of(Column("x", "number"), range(100)),
        "y": column_of(Column("y", "number"), range(100)),
    }
    one = {"x": two["x"]}
    for columns, says in ((two, TOGETHER), (one, ALONE)):
        encoder = Encoder.fit(columns)
        part = {n: column_of(d.column, [50.0]) for n, d in columns.items()}
        reason = Explainer.fit(columns, encoder).reasons(part, encoder, np.ones((1, encoder.width)))[0][0]
        assert says in reason.text


def test_cells_as_json_values():
    columns = frame()
    assert [plain(columns["x"].values, i) for i in (0, 2)] == [1.0, None]
    assert [plain(columns["k"].values, i) for i in (0, 3)] == ["a", None]
    assert [plain(columns["t"].values, i) for i in (0, 1)] == ["2026-01-01T03:00:00", None]


def state():
    encoder = Encoder.fit(frame())
    explainer = Explainer.fit(frame(), encoder)
    return encoder, explainer, {"typical": explainer.json(), **explainer.arrays()}


def test_the_state_gives_the_same_explainer_back():
    encoder, explainer, saved = state()
    again = Explainer.from_state(json.loads(json.dumps(saved.pop("typical"))), saved, encoder)
    contributions = np.ones((4, encoder.width))
    assert again.reasons(frame(), encoder, contributions) == explainer.reasons(
        frame(), encoder, contributions
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s.pop("grid"),
        lambda s: s.update(grid=s["grid"][:, 1:]),
        lambda s: s.update(grid=s["grid"].astype(np.float32)),
        lambda s: s.update(grid=s["grid"][:, ::-1].copy()),
        lambda s: s["grid"].__setitem__((0, 3), np.nan),
        lambda s: s.update(typical=s["typical"][:2]),
        lambda s: s["typical"].__setitem__(0, None),
        lambda s: s["typical"][0].update(missing="x"),
        lambda s: s["typical"][0].update(missing=1e308),
        lambda s: s["typical"][0].update(missing=10**400),
        lambda s: s["typical"][2].update(missing=-0.5),
        lambda s: s["typical"][2].update(hours=[1] * 23),
        lambda s: s["typical"][2].update(hours=None),
        lambda s: s["typical"][2].update(weekdays=[1.5] * 7),
        lambda s: s["typical"][2].pop("missing"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(spoil):
    encoder, _, saved = state()
    spoil(saved)
    with pytest.raises(BadBundle, match="summaries in the model file"):
        Explainer.from_state(saved.pop("typical"), saved, encoder)


def explained(values, flagged=True):
    """The reasons of one row of the table above, the normal row beside it, and the sentence."""
    encoder = Encoder.fit(frame())
    explainer = Explainer.fit(frame(), encoder)
    row = {name: column_of(data.column, [values[name]]) for name, data in frame().items()}
    contributions = np.zeros((1, encoder.width))
    for weight, name in enumerate(values, start=1):
        if values[name] is not OTHER:
            contributions[0, np.flatnonzero(encoder.sources == list(frame()).index(name))[0]] = 10 - weight
    [reasons] = explainer.reasons(row, encoder, contributions)
    nearest = {"row": 1234, "values": {"x": 2.0, "k": None, "t": "2026-01-05T09:30:00"}}
    return (
        explainer,
        reasons,
        explainer.summary(reasons, nearest, flagged),
        explainer.closest(reasons, nearest),
    )


def test_one_sentence_names_the_first_reasons_and_the_normal_row():
    values = {"x": 900.0, "k": "new", "t": "2026-01-01T03:00:00"}
    _, reasons, summary, closest = explained(values)
    assert [r.column for r in reasons] == ["x", "k", "t"]
    assert summary.startswith("Unusual because x is 900, higher than in any training row (")
    assert ", and k is 'new', never seen in training (" in summary
    assert summary.endswith("; the closest normal row (1,234) has x 2 and k missing.")
    assert summary.count(".") == 1 + summary[:-1].count(".")
    assert closest == "the closest normal row (1,234) has x 2, k missing and t 2026-01-05 09:30"
    assert explained(values, flagged=False)[2].startswith("Not flagged; least usual is that x is 900, ")


def test_a_row_without_reasons_has_a_sentence_too():
    explainer = explained({"x": 900.0, "k": "a", "t": None})[0]
    nearest = {"row": 7, "values": {}}
    assert explainer.summary([], nearest, True) == (
        "Unusual, though no column stands out; the closest normal row is row 7."
    )
    assert explainer.summary([], nearest, False).startswith("Not flagged: no column stands out; ")
