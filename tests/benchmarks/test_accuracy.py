"""The accuracy benchmark: its splits, its runs that can be killed, and its comparison."""

import importlib
import math
import sys
import time
from pathlib import Path

import numpy as np
import pytest

FOLDER = str(Path(__file__).parents[2] / "benchmarks")


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks."""
    monkeypatch.syspath_prepend(FOLDER)
    yield importlib.import_module
    for name in ("splits", "children", "peers", "accuracy_report"):
        sys.modules.pop(name, None)


RNG = np.random.default_rng(1)
X = np.column_stack([np.arange(400.0), RNG.normal(3, 5, 400), np.full(400, 0.1)])
Y = (np.arange(400) % 10 == 0).astype(int)


def test_unsupervised_is_a_bootstrap_of_the_standardised_set(load):
    split = load("splits").split(X, Y, "A", 0, 50_000, False)
    assert split.test[:, :2].mean(axis=0) == pytest.approx([0, 0])
    assert split.test[:, :2].std(axis=0) == pytest.approx([1, 1])
    assert np.abs(split.test[:, 2]).max() < 1e-12
    assert split.labels.tolist() == Y.tolist()
    learned = {tuple(row) for row in split.train}
    assert len(split.train) == 400
    assert 0.55 < len(learned) / 400 < 0.72  # 1 - 1/e of the rows are drawn
    assert learned <= {tuple(row) for row in split.test}


def test_small_sets_are_resampled_and_large_ones_cut(load):
    split = load("splits").split
    resampled = split(X, Y, "A", 0, 50_000, True)
    assert len(resampled.test) == 1_000
    assert len({tuple(row) for row in resampled.test}) <= 400
    cut = split(X, Y, "A", 0, 100, False)
    assert len({tuple(row) for row in cut.test}) == 100


@pytest.mark.parametrize("seed", range(3))
def test_one_class_learns_from_half_of_the_normal_rows(load, seed):
    split = load("splits").split(X, Y, "B", seed, 50_000, False)
    normal = X[Y == 0, 0]
    assert len(split.train) == 180
    assert (int(split.labels.sum()), len(split.labels)) == (40, 220)
    assert split.train.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-12)
    scale = np.concatenate([split.train[:, 0], split.test[split.labels == 0, 0]])
    assert np.argsort(np.sort(scale)).size == normal.size
    assert len(set(scale.round(9))) == 360  # no row twice, none left out


def test_every_seed_has_its_own_split(load):
    one, other = (load("splits").split(X, Y, "B", seed, 50_000, False) for seed in (0, 1))
    assert not np.array_equal(one.train, other.train)


def work(task):
    if task == "hang":
        time.sleep(60)
    if task == "fail":
        raise ValueError("odd")
    if task == "memory":
        np.ones(2**34)
    if task == "die":
        import os

        os._exit(1)
    return {"did": task}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # test runners have threads
def test_a_run_that_fails_hangs_or_dies_ends_alone(load):
    tasks = ["hang", 1, "fail", "die", "memory", 2]
    began = time.monotonic()
    found = dict(load("children").run_all(work, iter(tasks), 2, 5.0, 16_384))
    assert time.monotonic() - began < 30
    assert (found[1], found[2]) == ({"did": 1}, {"did": 2})
    assert found["hang"] == {"failed": "over 5 s", "over": 5.0}
    assert found["fail"] == {"failed": "ValueError: odd"}
    assert found["die"] == {"failed": "killed"}
    assert found["memory"] == {"failed": "more than 16,384 MiB of memory"}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # test runners have threads
def test_tasks_are_drawn_when_a_child_is_free(load):
    answers = []

    def tasks():
        yield 1
        if answers:
            yield "later"

    for task, _ in load("children").run_all(work, tasks(), 1, 30.0, 16_384):
        answers.append(task)
    assert answers == [1, "later"]


def run(set_name, seed, algorithm, auc):
    told = {"protocol": "A", "set": set_name, "seed": seed, "algorithm": algorithm, "resampled": False}
    return told | {"auc_roc": auc, "average_precision": auc / 2, "fit": 1.0, "score": 2.0}


RUNS = [
    run("1_x", 0, "knn", 0.8),
    run("1_x", 1, "knn", 0.9),
    run("2_y", 0, "knn", 0.6),
    run("2_y", 1, "knn", 0.6),
    run("1_x", 0, "pyod.KNN", 0.7),
    run("1_x", 1, "pyod.KNN", 0.9),
    {
        "protocol": "A",
        "set": "2_y",
        "seed": 0,
        "algorithm": "pyod.KNN",
        "resampled": False,
        "failed": "over 9 s",
    },
]


def test_the_comparison_is_on_sets_that_both_have(load):
    report = load("accuracy_report")
    rows = {row.algorithm: row for row in report.summary(report.grouped(RUNS), "knn")}
    assert rows["knn"].auc_roc == pytest.approx(100 * (0.85 + 0.6) / 2)
    assert (rows["pyod.KNN"].sets, rows["pyod.KNN"].common) == (1, 1)
    assert rows["pyod.KNN"].difference["auc_roc"] == pytest.approx(5.0)
    assert math.isnan(rows["pyod.KNN"].p["auc_roc"])
    assert rows["knn"].seconds == 3.0


def test_namesakes_are_compared_seed_by_seed(load):
    report = load("accuracy_report")
    [row] = report.compared(report.grouped(RUNS))
    assert (row["ours"], row["theirs"], row["sets"]) == ("knn", "pyod.KNN", 1)
    assert row["auc_roc"] == pytest.approx(5.0)
    assert row["auc_roc_by_seeds"] == pytest.approx(5.0)  # differences 10 and 0: sd 7.07, over sqrt(2)


def test_the_report_names_what_was_not_measured(load, capsys):
    load("accuracy_report").report(RUNS, "knn", False, 1_000)
    out = capsys.readouterr().out
    assert "| pyod.KNN | over 9 s | y |" in out
    assert "| knn | 2 | 72.50 | 36.25 | 3.00 | 2 | +0.00 | – | +0.00 | – |" in out
    assert "NaN" not in out.splitlines()[-1]
