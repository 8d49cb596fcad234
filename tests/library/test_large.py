"""Tables that are larger than the memory allowed: a sample to train on, blocks to score, the same scores."""

import subprocess
import sys

import numpy as np
import pytest

import pynomaly
from pynomaly import allowance, blocks
from pynomaly.detection.algorithms.threads import limit_threads, thread_count
from pynomaly.detection.model import Model
from pynomaly.errors import ConfigurationError
from pynomaly.library import opened
from pynomaly.settings import Settings
from pynomaly.tables import Limits, ingest, open_parquet, read

N = 30_000


def columns(n=N):
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    x[7] = 40.0
    return {"x": x, "y": rng.normal(size=n), "k": rng.choice(["a", "b", "c"], n).tolist()}


@pytest.fixture
def no_limit():
    yield
    pynomaly.limit()
    limit_threads(None)


@pytest.fixture
def small(monkeypatch):
    """Allow values of no more than 5,000 rows at once, in blocks of 1,000."""
    monkeypatch.setattr(blocks, "MIB", 5000 * 2 * 8 * 3)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 1000)


@pytest.fixture(params=["memory", "parquet"])
def table(request, tmp_path):
    if request.param == "memory":
        with read(columns()) as made:
            yield made
        return
    import pandas

    pandas.DataFrame(columns()).to_csv(tmp_path / "t.csv", index=False)
    ingest(tmp_path / "t.csv", tmp_path / "t.parquet", filename="t.csv")
    with open_parquet(tmp_path / "t.parquet") as made:
        yield made


@pytest.fixture
def tight(table, small):
    table.memory_mib = 1
    return table


@pytest.mark.parametrize("algorithm", ["isolation_forest", "local_outlier_factor", "elliptic_envelope"])
def test_a_sample_is_trained_on_and_all_rows_are_scored(tight, algorithm):
    detector = pynomaly.Detector(algorithm, seed=5, contamination=0.01).fit(tight)
    drawn = blocks.training_rows(tight, ["x", "y", "k"], 250_000, 5)
    assert len(drawn.rows) == 5000
    assert detector.notes_[0].startswith("The table is too large for the memory allowed")
    assert "5,000 of its 30,000 rows" in detector.notes_[0]
    in_memory = Model.fit(drawn.frame, algorithm, seed=5, contamination=0.01, schema=tight.columns)
    expected = in_memory.score_frame(tight.frame())
    assert np.array_equal(detector.score(tight), expected)
    again = pynomaly.Detector.from_bytes(detector.to_bytes())
    assert np.array_equal(again.score(tight), expected)
    result = detector.detect(tight)
    assert np.array_equal(result.scores, expected)
    assert result.order[0] == 7 or algorithm == "isolation_forest"
    assert result.n_anomalies == (expected > np.quantile(expected, 0.99)).sum()  # of all rows, not the sample


def test_the_nearest_normal_row_has_its_number_in_the_table(tight):
    result = pynomaly.Detector(seed=1).fit(tight).detect(tight)
    for anomaly in result.top(5):
        nearest = anomaly.nearest_normal
        assert tight.rows([nearest["row"]])[0] == nearest["values"]


def test_progress_is_told_by_rows(tight):
    told = []
    detector = pynomaly.Detector().fit(tight, lambda *heard: told.append(heard))
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[-1] == (1.0, "Scoring: 30,000 of 30,000 rows")
    assert (0.75, "Scoring: 15,000 of 30,000 rows") in told
    told.clear()
    with read(columns(4000)) as other:
        detector.detect(other, progress=lambda *heard: told.append(heard))
    assert told[0] == (0.25, "Scoring: 1,000 of 4,000 rows")


def test_the_same_scores_on_any_number_of_threads(tight, no_limit):
    detector = pynomaly.Detector(seed=2).fit(tight)
    limit_threads(1)
    one = detector.score(tight)
    limit_threads(4)
    fresh = pynomaly.Detector.from_bytes(detector.to_bytes())
    assert np.array_equal(fresh.score(tight), one)
    assert np.array_equal(detector.score(tight), one)


def test_what_fits_is_read_whole():
    with read(columns(500)) as table:
        drawn = blocks.training_rows(table, ["x"], 10, 0)
        assert drawn.rows is None
        assert len(drawn.frame["x"]) == 500
        assert pynomaly.Detector("isolation_forest").fit(table).notes_ == ()


def test_a_large_matrix_is_sampled_too(no_limit):
    X = np.random.default_rng(0).normal(size=(1_200_000, 4))
    pynomaly.limit(memory_mib=256)
    detector = pynomaly.Detector("hbos").fit(X)
    assert "250,000 of its 1,200,000 rows" in detector.notes_[0]


def test_a_sample_is_of_the_asked_size_and_repeatable(tight):
    first, second, other = (blocks.training_rows(tight, ["x", "y"], 300, seed) for seed in (1, 1, 2))
    assert len(first.rows) == len(set(first.rows.tolist())) == 300
    assert np.array_equal(first.rows, second.rows)
    assert not np.array_equal(first.rows, other.rows)


def test_limits_are_the_settings_unless_given(no_limit, monkeypatch):
    for name in allowance.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    pynomaly.limit()
    assert allowance.limits() == Limits(threads=thread_count())
    assert Settings().memory_mib == allowance.DATABASE_SHARE * Limits().memory_mib
    pynomaly.limit(memory_mib=800, threads=1)
    assert (thread_count(), allowance.limits().memory_mib) == (1, 200)
    with opened({"a": [1, 2]}) as table:
        assert table.memory_mib == 200
        threads = table.store.connection.execute("SELECT current_setting('threads')").fetchone()
        assert threads == (1,)
    for wrong, name in (({"memory_mib": 1}, "PYNOMALY_MEMORY_MIB"), ({"threads": 0}, "PYNOMALY_THREADS")):
        with pytest.raises(ConfigurationError, match=name):
            pynomaly.limit(**wrong)


def test_the_environment_is_heeded():
    code = (
        "import pynomaly; from pynomaly import allowance; pynomaly.Detector().fit([[1.0], [2.0], [4.0]]);"
        "from pynomaly.detection.algorithms.threads import thread_count;"
        "print(thread_count(), allowance.limits().memory_mib)"
    )
    environment = {"PYNOMALY_THREADS": "1", "PYNOMALY_MEMORY_MIB": "1024", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "256"]
