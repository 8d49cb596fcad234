"""Views of a result's rows, against the same done in plain Python over everything."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.errors import BadValue
from pynomaly.export import write_ranked
from pynomaly.server.detections import rows, search, view
from pynomaly.server.detections.view import Condition, View
from pynomaly.tables import ingest

N = 60
FLAGGED = 7
JUDGED = (3, 8, 11)
SHOPS = ("books", "BOOKS'); --", "food", "")


@pytest.fixture(scope="module")
def of(tmp_path_factory: pytest.TempPathFactory) -> search.Ranked:
    """Sixty rows with few different scores, a number with gaps, a text and a time."""
    folder = tmp_path_factory.mktemp("views")
    lines = ["n,shop,at"]
    for row in range(N):
        n = "" if row % 9 == 0 else str(row % 11 - 5)
        lines.append(f"{n},{SHOPS[row % 4]},2024-03-{row % 28 + 1:02d} 12:00")
    (folder / "t.csv").write_text("\n".join(lines))
    ingest(folder / "t.csv", folder / "d.parquet", filename="t.csv")
    scores = np.random.default_rng(2).integers(0, 12, N) / 4
    order = np.argsort(-scores, kind="stable")
    columns = {"row": np.arange(N), "score": scores, "p_value": 1 - scores / 4, "is_anomaly": scores > 2.9}
    why = {int(row): f'[{{"column": "{"n" if row % 2 else "shop"}"}}]' for row in order[:20]}
    texts = dict.fromkeys(why, "Not flagged; least usual is that n is 3.")
    near = dict.fromkeys(why, '{"row": 1, "values": {}}')
    told = {"summary": texts, "reasons": why, "nearest_normal": near}
    write_ranked(folder / "r.parquet", columns, order, told)
    kinds = {"n": "number", "shop": "category", "at": "timestamp"}
    described = [{"name": name, "type": kind} for name, kind in kinds.items()]
    return search.Ranked(folder / "r.parquet", folder / "d.parquet", described, N, FLAGGED)


CONDITIONS = st.sampled_from(
    [
        Condition("n", "ge", "2"),
        Condition("n", "ne", "0"),
        Condition("n", "missing"),
        Condition("shop", "contains", "OOK"),
        Condition("shop", "eq", SHOPS[1]),
        Condition("at", "lt", "2024-03-10T00:00:00+02:00"),
    ]
)
VIEWS = st.builds(
    View,
    sort=st.sampled_from(["-score", "score", "row", "-row", "column:n", "-column:shop", "-column:at"]),
    only=st.sampled_from(["all", "anomalies", "normal"]),
    score_from=st.sampled_from([None, 0.5, 1.3]),
    score_to=st.sampled_from([None, 2.25]),
    p_to=st.sampled_from([None, 0.5]),
    verdict=st.sampled_from(["", "any", "none"]),
    reason=st.sampled_from(["", "n"]),
    where=st.lists(CONDITIONS, max_size=2).map(tuple),
)


def holds(row: Any, condition: Condition) -> bool:
    cell = row.values[condition.column]
    match condition.operator:
        case "missing":
            return cell is None
        case "contains":
            return "ook" in (cell or "").lower()
        case "eq":
            return cell == condition.value
        case "ne":
            return cell != 0
        case "lt":
            return cell is not None and cell < "2024-03-09T22:00:00"
    return cell is not None and cell >= 2


def fits(row: Any, view: View) -> bool:
    """The same in Python."""
    return all(
        [
            view.only == "all" or row.is_anomaly == (view.only == "anomalies"),
            view.score_from is None or row.score >= view.score_from,
            view.score_to is None or row.score <= view.score_to,
            view.p_to is None or row.p_value <= view.p_to,
            not view.verdict or (row.row in JUDGED) == (view.verdict == "any"),
            not view.reason or view.reason in [reason["column"] for reason in row.reasons],
            *(holds(row, condition) for condition in view.where),
        ]
    )


@given(VIEWS)
@settings(deadline=None, max_examples=150)
def test_views_against_python(of: search.Ranked, view: View) -> None:
    """The rows that fit, all of them and no others, in order, in pages; and their count."""
    everything = search.select(of, View()).page(0, N)
    assert [row.rank for row in everything] == list(range(1, N + 1))
    expected = [row for row in everything if fits(row, view)]
    chosen = search.select(of, view, JUDGED)
    found = [row for start in range(0, N, 13) for row in chosen.page(start, 13)]
    assert sorted(row.row for row in found) == sorted(row.row for row in expected)
    assert chosen.count() == len(expected)
    name = view.sort.removeprefix("-").removeprefix("column:")
    keys = [row.values[name] if "column:" in view.sort else getattr(row, name) for row in found]
    present = [key for key in keys if key is not None]
    assert keys[: len(present)] == sorted(present, reverse=view.sort.startswith("-"))


@given(VIEWS)
def test_an_address_keeps_the_view(view_: View) -> None:
    """What is written into an address is read again."""
    assert view.read(dict(view_.query())) == view_


def test_cursors_hold_for_one_view_only(of: search.Ranked) -> None:
    """The pages of one view cannot be gone on with in another."""
    odd = View(where=(Condition("n", "ge", "2"),))
    chosen = search.select(of, odd)
    first, cursor = rows.page(chosen, odd, None, 5)
    rest, end = rows.page(chosen, odd, cursor, 100)
    assert len(first) + len(rest) == chosen.count()
    assert end is None
    with pytest.raises(BadValue.__base__ or BadValue, match="cursor"):
        rows.page(search.select(of, View()), View(), cursor, 5)


def test_the_sentence_follows_the_threshold(of: search.Ranked) -> None:
    """A row that is flagged now is not called unflagged, and the other way round."""
    found = search.select(of, View()).page(0, 20)
    assert [(row.summary or "")[:11] for row in found] == ["Unusual bec"] * FLAGGED + ["Not flagged"] * (
        20 - FLAGGED
    )


@pytest.mark.parametrize(
    "given",
    [
        {"sort": "amount"},
        {"sort": "column:amount"},
        {"only": "some"},
        {"score_from": "much"},
        {"p_to": "nan"},
        {"where": "n"},
        {"where": '[["n", "like", "3"]]'},
        {"where": '[["n", "ge", ""]]'},
        {"where": '[["n", "ge", "three"]]'},
        {"where": '[["n", "ge", "1e999"]]'},
        {"where": '[["at", "ge", "yesterday"]]'},
        {"where": '[["d.c0", "ge", "1"]]'},
        {"where": "[" * 100_000},
        {"where": "[" + ", ".join(['["n", "ge", "1"]'] * 11) + "]"},
    ],
)
def test_views_that_make_no_sense(of: search.Ranked, given: dict[str, Any]) -> None:
    """Each is refused with words."""
    with pytest.raises(BadValue):
        search.select(of, view.read(given))
