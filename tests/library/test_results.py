"""Results: ranking, JSON, files and frames say the same, and files are whole or not there."""

import json

import duckdb
import numpy as np
import pandas
import polars
import pyarrow
import pytest

import pynomaly
from pynomaly import results
from pynomaly.errors import NotWritable, UsageError
from pynomaly.phases import Phases, peak_mib

RNG = np.random.default_rng(1)
TABLE = pandas.DataFrame(RNG.normal(size=(300, 3)), columns=["x", "y", "z"]).assign(k=["p", "q", "r"] * 100)
TABLE.loc[11, ["x", "y"]] = 25.0


@pytest.fixture
def result():
    return pynomaly.detect(TABLE, contamination=0.1)


def test_top_is_ordered_by_score_then_row(result):
    top = result.top(300)
    assert [(-a.score, a.row) for a in top] == sorted((-a.score, a.row) for a in top)
    assert top[0].row == 11
    assert result.top(0) == result.top(-1) == []
    assert len(result.anomalies()) == result.n_anomalies == 30
    assert all(a.is_anomaly for a in result.anomalies())
    assert [a.row for a in result.anomalies(5)] == [a.row for a in top[:5]]


def test_rows_are_explained_at_once_or_when_they_are_shown(monkeypatch):
    monkeypatch.setattr(results, "CELLS_AT_ONCE", 12)
    few = pynomaly.detect(TABLE, contamination=0.1, max_explained=5)
    assert len(few.explained) == 5
    every = pynomaly.detect(TABLE, contamination=0.1).top(40)
    assert few.top(40) == every


def test_the_json_is_as_promised(result):
    told = json.loads(json.dumps(result.to_json(3), allow_nan=False))
    assert list(told) == [
        "n_rows",
        "n_anomalies",
        "threshold",
        "estimated_contamination",
        "algorithm",
        "seconds",
        "metrics",
        "anomalies",
    ]
    assert told["n_rows"] == 300
    assert told["algorithm"] == "auto"
    assert len(told["anomalies"]) == 3
    first = told["anomalies"][0]
    assert list(first) == ["row", "score", "p_value", "summary", "reasons", "nearest_normal"]
    assert first["summary"].startswith("Unusual because ")
    assert list(first["nearest_normal"]["values"]) == ["x", "y", "z", "k"]
    assert list(told["anomalies"][0]["reasons"][0]) == ["column", "contribution", "value", "expected", "text"]
    assert told["anomalies"][0]["reasons"][0]["value"] == 25.0


def test_only_anomalies_are_listed_as_such():
    quiet = pynomaly.detect(np.linspace(0, 1, 9)[:, None])
    assert quiet.n_anomalies == 0
    assert quiet.to_json(5)["anomalies"] == []
    assert len(quiet.top(5)) == 5


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda t: t, pandas.DataFrame),
        (polars.from_pandas, polars.DataFrame),
        (pyarrow.Table.from_pandas, pyarrow.Table),
        (lambda t: t[["x", "y", "z"]].to_numpy(), pandas.DataFrame),
    ],
)
def test_the_frame_is_of_the_kind_that_was_given(make, kind):
    result = pynomaly.detect(make(TABLE))
    frame = result.to_frame()
    assert isinstance(frame, kind)
    plain = frame.to_pandas() if kind is not pandas.DataFrame else frame
    assert list(plain.columns) == ["row", "score", "p_value", "is_anomaly"]
    assert plain["row"].tolist() == list(range(300))
    assert plain["score"].tolist() == result.scores.tolist()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json", ".CSV"])
def test_files_hold_all_rows_to_the_last_bit(result, tmp_path, suffix):
    path = tmp_path / f"it's{suffix}"
    path.write_text("old")
    result.write(path)
    read = {".csv": polars.read_csv, ".parquet": polars.read_parquet, ".json": polars.read_json}
    columns = read[suffix.lower()](path)
    assert columns.columns == ["row", "score", "p_value", "is_anomaly"]
    for name, values in (
        ("score", result.scores),
        ("p_value", result.p_values),
        ("is_anomaly", result.is_anomaly),
    ):
        assert columns[name].to_list() == values.tolist()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_ranked_file_is_sorted_and_has_the_reasons_of_the_anomalies(result, tmp_path):
    path = tmp_path / "ranked.parquet"
    result.write_parquet_ranked(path)
    columns = ["rank", "row", "score", "p_value", "is_anomaly", "summary", "reasons", "nearest_normal"]
    with duckdb.connect() as database:
        found = database.execute(f"SELECT * FROM read_parquet('{path}')").fetchall()
        assert [c[0] for c in database.description] == columns
    assert [row[0] for row in found] == list(range(1, 301))
    assert [row[1] for row in found] == result.order.tolist()
    assert [row[2] for row in found] == result.scores[result.order].tolist()
    assert [row[5] is not None for row in found] == [row[4] for row in found]
    first = result.top(1)[0]
    assert found[0][5] == first.summary
    assert json.loads(found[0][6]) == [r.json() for r in first.reasons]
    assert json.loads(found[0][7]) == first.nearest_normal


def test_a_ranked_file_without_reasons(tmp_path):
    result = pynomaly.detect(TABLE, max_explained=0)
    result.write_parquet_ranked(tmp_path / "ranked.parquet")
    assert polars.read_parquet(tmp_path / "ranked.parquet")["reasons"].null_count() == 300


def test_nothing_half_written_stays_behind(result, tmp_path):
    with pytest.raises(UsageError, match=r"\.csv, \.parquet or \.json"):
        result.write(tmp_path / "x.txt")
    with pytest.raises(NotWritable, match="Cannot write"):
        result.write(tmp_path / "no" / "x.csv")
    with pytest.raises(NotWritable):
        result.write_parquet_ranked(tmp_path / "no" / "x.parquet")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(NotWritable):
        result.write(tmp_path / "folder.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["folder.csv"]


def test_the_histogram_counts_every_row(result):
    histogram = result.score_histogram(12)
    assert len(histogram["edges"]) == 13
    assert sum(histogram["counts"]) == 300
    assert histogram["edges"][0] == result.scores.min()


def test_phases_add_up():
    phases = Phases()
    for _ in range(2):
        with phases.measure("read"):
            pass
    with pytest.raises(ZeroDivisionError), phases.measure("fit"):
        _ = 1 / 0
    both = phases.including(Phases({"read": 5.0, "score": 1.0}, {"read": 1.0, "score": None}))
    assert list(both.seconds) == ["read", "score", "fit"]
    assert both.total == pytest.approx(6.0, abs=0.1)
    assert both.json()["score"] == {"seconds": 1.0, "peak_mib": None}


def test_peak_memory_is_told_where_the_system_does(monkeypatch):
    assert peak_mib() > 10
    for platform, least in (("darwin", 0.01), ("linux", 10)):
        monkeypatch.setattr("sys.platform", platform)
        assert peak_mib() > least
    monkeypatch.setattr("sys.platform", "win32")
    assert peak_mib() is None
