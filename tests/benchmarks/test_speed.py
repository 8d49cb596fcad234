"""The speed benchmark: what is timed, what is left out, and whether a target counts as reached."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = str(Path(__file__).parents[2] / "benchmarks")


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks."""
    monkeypatch.syspath_prepend(FOLDER)
    yield importlib.import_module
    for name in ("speed", "speed_more", "speed_runs", "speed_sides", "speed_table", "children", "peers"):
        sys.modules.pop(name, None)


def pair(algorithm, side, rows, columns, ours, theirs):
    size = {"algorithm": algorithm, "rows": rows, "columns": columns}
    return [size | {"side": "ours"} | ours, size | {"side": side} | theirs]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (("hbos", "pyod.HBOS", 10_000, 50, {"seconds": 1.0}, {"seconds": 12.0}), "PASS"),
        (("hbos", "pyod.HBOS", 10_000, 50, {"seconds": 1.0}, {"seconds": 11.9}), "short"),
        (("hbos", "pyod.HBOS", 10_000, 50, {"skipped": "killed"}, {"seconds": 99.0}), "short"),
        (("hbos", "pyod.HBOS", 10, 5, {"seconds": 1.0}, {"skipped": "", "at_least": 11.0}), "not known"),
        (("hbos", "pyod.HBOS", 10, 5, {"seconds": 1.0}, {"skipped": "", "at_least": 12.0}), "PASS"),
        (("hbos", "pyod.HBOS", 10, 5, {"seconds": 1.0}, {"skipped": "not installed"}), "not known"),
        (("ecod", "pyod.ECOD", 10**6, 9, {"seconds": 1.0, "memory": 1.4}, {"seconds": 8.0}), "PASS"),
        (("ecod", "pyod.ECOD", 10**6, 9, {"seconds": 1.0, "memory": 1.5}, {"seconds": 8.0}), "short"),
        (("ecod", "pyod.ECOD", 10**4, 9, {"seconds": 1.0, "memory": 1.5}, {"seconds": 8.0}), "PASS"),
        (("isolation_forest", "sklearn.A", 10**6, 10, {"seconds": 1.0}, {"seconds": 6.0}), "PASS"),
        (("isolation_forest", "pyod.A", 10**6, 10, {"seconds": 1.0}, {"seconds": 6.0}), "short"),
        (("isolation_forest", "pyod.A", 10**5, 10, {"seconds": 1.0}, {"seconds": 6.0}), ""),
        (("knn", "sklearn.A", 10**5, 10, {"seconds": 1.0}, {"seconds": 5.0}), "PASS"),
        (("knn", "sklearn.A", 10**6, 50, {"seconds": 1.0}, {"seconds": 5.0}), "short"),
    ],
)
def test_targets(load, case, expected):
    assert load("speed_table").verdict(*pair(*case))[1] == expected


@pytest.mark.parametrize(("auc", "expected"), [(0.9, "PASS"), (0.896, "PASS"), (0.89, "short")])
def test_the_envelope_has_to_be_as_accurate(load, auc, expected):
    case = "elliptic_envelope", "sklearn.E", 100_000, 50, {"seconds": 1.0, "auc": auc}
    assert load("speed_table").verdict(*pair(*case, {"seconds": 20.0, "auc": 0.9}))[1] == expected


@pytest.mark.parametrize(("took", "expected"), [(19.9, "| 20 s | PASS |"), (20.0, "| 20 s | short |")])
def test_auto_has_a_target_without_a_peer(load, took, expected):
    (line,) = load("speed_table").lines(pair("auto", "", 10**6, 10, {"fit": 1.0, "seconds": took}, {})[:1])
    assert line.endswith(expected)


def test_each_row_has_as_many_cells_as_the_head(load):
    table = load("speed_table")
    own = {"fit": 1.0, "seconds": 2.0, "processor": 2.0, "memory": 0.1, "auc": 0.9}
    their = {"seconds": 8.0, "processor": 3.0, "auc": 0.8, "share": 1000}
    compared = [pair("ecod", "pyod.ECOD", 10, 2, *both) for both in ((own, their), ({"skipped": "x"}, own))]
    for line in [line for comparison in [*compared, compared[0][:1]] for line in table.lines(comparison)]:
        assert line.count("|") == table.HEAD.splitlines()[0].count("|") == table.HEAD.count("---") + 1
    (line,) = table.lines(compared[0])
    assert "| 4.0x | 1.5x |" in line
    assert "pyod.ECOD 8* |" in line


def test_one_side_is_timed_in_a_child(load):
    runs = load("speed_runs")
    ((ours, peer, *_),) = runs.Runs(["isolation_forest"], [(3000, 4)], 60.0).run()
    for answer in (ours, peer):
        assert 0 < answer["fit"] < answer["seconds"]
        assert answer["processor"] > 0
        assert answer["auc"] > 0.6
    assert (ours["side"], peer["side"]) == ("ours", "sklearn.IsolationForest")


def test_what_would_take_too_long_is_left_out(load):
    runs = load("speed_runs")
    task = runs.Task("hbos", "ours", 100_000, 10)
    smaller = {
        runs.Task("hbos", "ours", rows, 10): {"seconds": s} for rows, s in ((1000, 1.0), (10_000, 100.0))
    }
    some = runs.Runs(["hbos"], [], 9_000.0, smaller)
    assert some._expected(task) == pytest.approx(10_000.0)
    assert some._one(task) == {"skipped": "over 9000 s expected"}


def test_a_share_of_the_searches_stands_for_all(load, monkeypatch):
    sides = load("speed_sides")
    clock = iter([(0.0, 0.0), (3.0, 4.0), (5.0, 7.0)])
    monkeypatch.setattr(sides, "_now", lambda: next(clock))
    X = np.random.default_rng(0).normal(size=(10_000, 3))
    assert not sides.shares("knn", "ours", X.size)
    monkeypatch.setitem(sides.SHARED_CELLS, "ours", X.size - 1)
    took = sides.work("knn", "ours", X.size)(X)
    assert (took.fit, took.seconds, took.processor, took.share) == (23.0, 43.0, 64.0, 1000)


def test_what_was_kept_is_not_measured_again(load, tmp_path):
    speed, runs = load("speed"), load("speed_runs")
    task, file = runs.Task("auto", "ours", 1000, 2), tmp_path / "kept.json"
    assert speed.kept(file) == {}
    speed.keep(file, runs.Runs([], [], 1.0, {task: {"seconds": 0.25, "share": None}}))
    again = runs.Runs(["auto"], speed.sizes("1000x2"), 1.0, speed.kept(file))
    assert [row["seconds"] for comparison in again.run() for row in comparison] == [0.25]
