"""A dataset's profile as the pages show it."""

from pynomaly.server.web.profile import boxes, view


def test_a_number_column() -> None:
    measured = {
        "name": "size",
        "type": "number",
        "unused": None,
        "missing": 5,
        "distinct": 40,
        "min": -1.5,
        "max": 12000.0,
        "quantiles": {"p50": 3.25},
        "histogram": {"edges": [0, 1, 2], "counts": [1, 4]},
    }
    [column] = view([measured], 50)
    assert (column.quantiles[2], column.range, column.missing) == ("3.25", "-1.5 to 12,000", "5")
    assert column.missing_share == 0.1
    assert column.used
    assert column.picture == "M0 28v-7h54v7zM60 28v-28h54v28z"


def test_a_timestamp_column() -> None:
    measured = {
        "name": "when",
        "type": "timestamp",
        "unused": None,
        "min": "2026-01-01T00:00:00",
        "max": "2026-02-01T10:00:00.000000",
        "quantiles": {"p50": "2026-01-15T12:00:00"},
    }
    [column] = view([measured], 50)
    assert column.range == "2026-01-01 00:00 to 2026-02-01 10:00"
    assert column.quantiles[2] == "2026-01-15 12:00"
    assert column.missing == "0"


def test_a_category_column() -> None:
    measured = {"name": "shop", "type": "category", "unused": None, "top": [{"value": "food", "count": 20}]}
    [column] = view([measured], 50)
    assert (column.top, column.range, column.distinct) == ((("food", "40 %"),), "–", "–")
    assert column.summary == "Most frequent: food (40 %)"


def test_a_column_that_was_not_measured() -> None:
    [column] = view([{"name": "id", "type": "id", "unused": "like an identifier"}], 0)
    assert not column.used
    assert (column.unused, column.top, column.picture) == ("like an identifier", (), "")


def test_the_label_column_is_not_used() -> None:
    columns = view([{"name": "fraud", "type": "number"}, {"name": "size", "type": "number"}], 9, "fraud")
    assert [(column.used, column.unused) for column in columns] == [(False, "holds the labels"), (True, "")]


def test_bars_stay_inside_their_frame() -> None:
    for bar in boxes([0, 1, 0, 9, 10**9]):
        assert 0 <= bar.x <= bar.x + bar.width <= 120
        assert 1 <= bar.height == 28 - bar.y <= 28
    assert boxes([0, 0]) == ()
