"""Ingesting stores a table with its schema and profile, whole or not at all."""

import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pynomaly.errors import CorruptFile, TableEmpty, TooManyBadRows
from pynomaly.tables import Limits, ingest, open_parquet, read
from pynomaly.tables.profile import profile


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "upload.tmp"
    rows = [f"{i},{i * 0.5},{'xyz'[i % 3]},2024-01-{1 + i % 28:02d}T{i % 24:02d}:00:00" for i in range(1000)]
    rows[10] = "10,oops,x,2024-01-01"
    path.write_text("id,amount,kind,when\n" + "\n".join(rows))
    return path


def test_stores_what_it_reads(source, tmp_path):
    told = []
    target = tmp_path / "table.parquet"
    found = ingest(
        source, target, filename="mine.csv", progress=lambda share, text: told.append((share, text))
    )
    assert (found.n_rows, found.n_rejected) == (999, 1)
    assert found.rejects[0].line == 12
    assert found.dialect.format == "csv"
    assert [column.type for column in found.columns] == ["id", "number", "category", "timestamp"]
    with open_parquet(target) as stored, read(source) as direct:
        assert stored.columns == direct.columns == found.columns
        assert stored.n_rows == direct.n_rows
        assert stored.rows(range(999)) == direct.rows(range(999))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_the_profile(source, tmp_path):
    found = ingest(source, tmp_path / "table.parquet", filename="mine.csv").profile
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    identifier, amount, kind, when = found
    assert (identifier["type"], identifier["unused"].split(":")[0]) == (
        "id",
        "consecutive whole numbers, nearly all different",
    )
    assert (amount["missing"], amount["distinct"], amount["min"], amount["max"]) == (0, 999, 0.0, 499.5)
    assert amount["mean"] == pytest.approx(250.0, abs=0.5)
    assert amount["quantiles"]["p50"] == pytest.approx(250, abs=1)
    assert sum(amount["histogram"]["counts"]) == 999
    assert len(amount["histogram"]["edges"]) == len(amount["histogram"]["counts"]) + 1
    assert amount["top"] is None
    assert kind["top"][0] == {"value": "x", "count": 334}
    assert (kind["distinct"], kind["histogram"]) == (3, None)
    assert (when["min"], when["max"][:10]) == ("2024-01-01T00:00:00", "2024-01-28")
    assert when["histogram"]["edges"][0] == "2024-01-01T00:00:00"
    assert 0 < when["std"] < 86400 * 28


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", TableEmpty), (b"a,b\n1\n2\n3\n", TooManyBadRows), (b"a,b\n1,\0\n", CorruptFile)],
)
def test_nothing_stays_behind(tmp_path, content, error):
    path = tmp_path / "upload.tmp"
    path.write_bytes(content)
    with pytest.raises(error, match=r"mine\.csv"):
        ingest(path, tmp_path / "table.parquet", filename="mine.csv")
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_target_is_replaced_only_by_a_whole_one(source, tmp_path):
    target = tmp_path / "table.parquet"
    target.write_bytes(b"older")
    with pytest.raises(TooManyBadRows):
        ingest(source, target, filename="mine.csv", limits=Limits(max_bad_rows=0))
    assert target.read_bytes() == b"older"
    ingest(source, target, filename="mine.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.parquet", "upload.tmp"]


def test_a_target_that_cannot_be_written(source, tmp_path):
    with pytest.raises(FileNotFoundError):
        ingest(source, tmp_path / "nowhere" / "table.parquet", filename="mine.csv")


def test_little_memory_is_enough(tmp_path):
    path = tmp_path / "large.csv"
    path.write_text(
        "a,b,c,d\n" + "".join(f"{i * 0.37},{i * 0.11},word{i % 5000},{i}\n" for i in range(300_000))
    )
    found = ingest(
        path, tmp_path / "t.parquet", filename="large.csv", limits=Limits(memory_mib=64, threads=1)
    )
    assert found.n_rows == 300_000


@settings(deadline=None, max_examples=40)
@example([1.797693134862313e308, 1.7976931348623157e308])  # the last edge but one once was infinite
@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=60)
)
def test_profiles_of_numbers_agree_with_numpy(values):
    present = np.array([value for value in values if value is not None])
    with read({"x": values, "n": list(range(len(values)))}) as table:
        [found, _] = profile(table)
    json.dumps(found, allow_nan=False)
    assert found["missing"] == len(values) - len(present)
    assert found["distinct"] == len(set(present.tolist()))
    if len(present):
        assert (found["min"], found["max"]) == (present.min(), present.max())
        assert sum(found["histogram"]["counts"]) == len(present)
        scale = float(np.abs(present).max()) or 1.0
        assert math.isclose(found["mean"] / scale, np.mean(present / scale), abs_tol=1e-9)
        assert math.isclose(found["quantiles"]["p50"] / scale, np.median(present / scale), abs_tol=1e-9)


def test_many_rows_are_sampled(monkeypatch):
    monkeypatch.setattr("pynomaly.tables.profile.SORTED", 100)
    with read({"x": [i * 0.5 for i in range(1000)]}) as table:
        [found] = profile(table)
    assert sum(found["histogram"]["counts"]) == pytest.approx(1000, abs=30)
    assert found["quantiles"]["p50"] == pytest.approx(250, rel=0.02)
