"""Pages and exports of ranked rows, against the same done in plain Python."""

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.errors import BadCursor, TableTooLarge
from pynomaly.export import write_ranked
from pynomaly.server import positions
from pynomaly.server.detections import export, result, rows, search
from pynomaly.server.detections.view import SORTS, View
from pynomaly.tables import ingest

N = 57
COLUMNS = ["x", "score", "text", "when", "=SUM(A1)"]
TEXTS = ["=1+1", "-5", "+3.5", "@cmd", "\ttab", "plain", "-2+3", "1,5", "+", '"quoted"', "=", "-1e5"]
HARMLESS = {"-5", "+3.5", "plain", "1,5", '"quoted"', "-1e5"}
Files = tuple[Path, Path]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A ranked result of 57 rows, and the dataset that it is of; its last column's name is a formula."""
    folder = tmp_path_factory.mktemp("result")
    source = folder / "t.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for i in range(N):
            writer.writerow(
                [i + 0.5, f"s{i % 3}", TEXTS[i % len(TEXTS)] + " x" * (i >= 24), "2024-01-02", i % 5]
            )
    ingest(source, folder / "data.parquet", filename="t.csv")
    scores = np.random.default_rng(0).permutation(N) / N
    columns = {
        "row": np.arange(N),
        "score": scores,
        "p_value": (1 + np.argsort(np.argsort(-scores))) / (N + 1),
        "is_anomaly": scores > 0.9,
    }
    order = np.argsort(-scores)
    first = order[:5].tolist()
    told = {
        "summary": {row: f"=because of {row}" for row in first},
        "reasons": {row: json.dumps([{"column": "x", "text": f"=x of {row}"}]) for row in first},
        "nearest_normal": {row: json.dumps({"row": row + 1, "values": {"x": 1}}) for row in first},
    }
    write_ranked(folder / "result.parquet", columns, order, told)
    return folder / "result.parquet", folder / "data.parquet"


def ranked(files: Files, n_anomalies: int = 5) -> search.Ranked:
    """The result, of which so many rows are anomalies."""
    kinds = ["number", "category", "text", "timestamp", "number"]
    columns = [{"name": name, "type": kind} for name, kind in zip(COLUMNS, kinds, strict=True)]
    return search.Ranked(*files, columns, N, n_anomalies)


def page(files: Files, sort: str, cursor: str | None, limit: int) -> Any:
    """One page of all rows."""
    view = View(sort)
    return rows.page(search.select(ranked(files), view), view, cursor, limit)


def key(row: result.ResultRow, sort: str) -> float:
    """What `sort` sorts by, ascending."""
    value = row.score if sort.endswith("score") else row.row
    return -value if sort.startswith("-") else value


@given(sort=st.sampled_from(SORTS), limit=st.integers(1, 70))
@settings(deadline=None, max_examples=40)
def test_pages_are_the_whole_in_order(files: Files, sort: str, limit: int) -> None:
    """For every order and page size: each row once, sorted, with its own values."""
    seen: list[result.ResultRow] = []
    cursor = None
    while True:
        items, cursor = page(files, sort, cursor, limit)
        assert len(items) <= limit
        seen += items
        if cursor is None:
            break
    assert sorted(row.row for row in seen) == list(range(N))
    assert [row.row for row in seen] == [row.row for row in sorted(seen, key=lambda row: key(row, sort))]
    assert all(row.values["x"] == row.row + 0.5 for row in seen)
    explained = [row for row in seen if row.rank <= 5]
    assert [row for row in seen if row.reasons] == [row for row in seen if row.summary] == explained
    assert [row for row in seen if row.nearest_normal] == explained
    assert all(row.nearest_normal == {"row": row.row + 1, "values": {"x": 1}} for row in explained)


def test_a_page_past_the_end_is_empty(files: Files) -> None:
    """A cursor of a longer list of the same order gives nothing more."""
    assert page(files, "row", positions.encode("row", N), 10) == ([], None)
    with pytest.raises(BadCursor):
        page(files, "row", positions.encode("-row", 1), 10)


def exported(files: Files, tmp_path: Path, form: export.Format) -> Path:
    """Export the result."""
    target = tmp_path / f"out.{form}"
    export.in_a_process(
        search.select(ranked(files), View()), target, form, memory_mib=256, timeout_seconds=60
    )
    return target


def test_csv_is_for_spreadsheets(files: Files, tmp_path: Path) -> None:
    """By rank; names are unique; what a spreadsheet would run is text; all else is as it was."""
    with exported(files, tmp_path, "csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["rank"]) for line in lines] == list(range(1, N + 1))
    assert list(lines[0]) == [
        "rank", "row", "score", "p_value", "is_anomaly", "summary", "reasons", "nearest_normal",
        "x", "score_2", "text", "when", "'=SUM(A1)",
    ]  # fmt: skip
    for line in lines:
        row = int(line["row"])
        before = TEXTS[row % len(TEXTS)] + " x" * (row >= 24)
        assert line["text"] == (before if before in HARMLESS or before[0] in 'p"1' else "'" + before)
        assert line["score_2"] == f"s{row % 3}"
        assert float(line["x"]) == row + 0.5
    assert lines[0]["reasons"] == f"'=x of {lines[0]['row']}"
    assert lines[0]["summary"] == f"'=because of {lines[0]['row']}"
    assert lines[0]["nearest_normal"] == str(int(lines[0]["row"]) + 1)
    assert lines[10]["reasons"] == lines[10]["summary"] == lines[10]["nearest_normal"] == ""
    assert not list(tmp_path.glob("spill*"))


def test_json_is_for_programs(files: Files, tmp_path: Path) -> None:
    """Reasons are data, text is untouched, timestamps are ISO 8601."""
    lines: list[dict[str, Any]] = json.loads(exported(files, tmp_path, "json").read_text("utf-8"))
    assert [line["rank"] for line in lines] == list(range(1, N + 1))
    assert lines[0]["reasons"] == [{"column": "x", "text": f"=x of {lines[0]['row']}"}]
    assert lines[0]["nearest_normal"] == {"row": lines[0]["row"] + 1, "values": {"x": 1}}
    assert lines[N - 1]["reasons"] == []
    assert lines[N - 1]["nearest_normal"] is None
    assert {line["text"] for line in lines if line["row"] < 12} == set(TEXTS)
    assert lines[0]["when"].startswith("2024-01-02T00:00:00")
    assert isinstance(lines[0]["is_anomaly"], bool)


def test_parquet_keeps_the_types(files: Files, tmp_path: Path) -> None:
    """Numbers are numbers and timestamps are timestamps."""
    path = exported(files, tmp_path, "parquet")
    with duckdb.connect() as connection:
        kinds = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    assert {name: kind for name, kind, *_ in kinds}["when"] == "TIMESTAMP"
    assert {name: kind for name, kind, *_ in kinds}["score"] == "DOUBLE"


@given(st.lists(st.sampled_from(["a", "A", "a_2", "A_2", "b", "a_3", "é", "É"]), max_size=12))
@settings(deadline=None, max_examples=200)
def test_unique_names(names: list[str]) -> None:
    """All differ for DuckDB, which ignores case; the first of each stays."""
    out = export.unique(names)
    assert len({name.casefold() for name in out}) == len(names)
    for i, name in enumerate(names):
        if name.casefold() not in {other.casefold() for other in names[:i]}:
            assert out[i] == name


def test_an_export_without_room_says_so(files: Files, tmp_path: Path) -> None:
    """The process's error is ours again; a task that fails otherwise is told too."""
    everything = search.select(ranked(files), View())
    with pytest.raises(TableTooLarge, match="The export needs more room"):
        export.in_a_process(everything, tmp_path / "o.csv", "csv", memory_mib=1, timeout_seconds=60)
    with pytest.raises(subprocess.TimeoutExpired):
        export.in_a_process(everything, tmp_path / "o.csv", "csv", memory_mib=64, timeout_seconds=0.01)
