"""`pynomaly.evaluate`: the measures are those of detectors run by hand, and labels reach no algorithm."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas
import polars
import pytest
from sklearn import metrics

import pynomaly
from pynomaly import evaluation, peak
from pynomaly.detection import catalogue
from pynomaly.detection.entries import info
from pynomaly.detection.parameters import Parameter
from pynomaly.detection.protocols import ONE_CLASS, drawn
from pynomaly.errors import (
    BadColumns,
    BadParameter,
    FitFailed,
    LabelError,
    TooFewRows,
    UnknownAlgorithm,
    UsageError,
)

RNG = np.random.default_rng(5)
N = 150
TRUTH = np.isin(np.arange(N), RNG.choice(N, 15, replace=False)).astype(int)
COLUMNS = {
    "a": RNG.normal(size=N) + 1.5 * TRUTH,
    "b": RNG.normal(size=N) - 1.5 * TRUTH,
    "kind": np.array(["x", "y", "z"], dtype=object)[RNG.integers(0, 3, N)],
    "y": TRUTH,
}
TABLE = pandas.DataFrame(COLUMNS)


@pytest.fixture
def seen(monkeypatch):
    """The trained algorithms, with the matrices that they learned from and scored."""
    runs = []
    made = catalogue.create

    def create(name, params=None, seed=0):
        algorithm = made(name, params, seed)
        fit, score = algorithm.fit, algorithm.score
        run = {"name": name, "seed": seed, "algorithm": algorithm}

        def fitted(X, *rest):
            runs.append(run | {"train": X})
            return fit(X, *rest)

        def scored(X):
            runs[-1]["test"] = X
            return score(X)

        algorithm.fit, algorithm.score = fitted, scored
        return algorithm

    monkeypatch.setattr(catalogue, "create", create)
    monkeypatch.setattr(evaluation, "warm_up", lambda contender: None)
    return runs


@pytest.fixture
def entries(monkeypatch):
    """The catalogue, to be changed."""
    changed = dict(catalogue.CATALOGUE)
    monkeypatch.setattr(catalogue, "CATALOGUE", changed)
    return changed


def test_the_measures_are_those_of_detectors_run_by_hand():
    found = pynomaly.evaluate(TABLE, "y", ["isolation_forest(n_trees=20)"], seeds=3)
    [row] = found.algorithms
    aucs, precisions = [], []
    for seed in range(3):
        detector = pynomaly.Detector("isolation_forest", n_trees=20, seed=seed, exclude=["y"]).fit(TABLE)
        scores = detector.score(TABLE)
        aucs.append(metrics.roc_auc_score(TRUTH, scores))
        precisions.append(metrics.average_precision_score(TRUTH, scores))
    assert row.runs == 3
    assert row.measures["auc_roc"].mean == pytest.approx(np.mean(aucs))
    assert row.measures["auc_roc"].sd == pytest.approx(np.std(aucs, ddof=1))
    assert row.measures["auc_roc"].sd > 0
    assert row.measures["average_precision"].mean == pytest.approx(np.mean(precisions))
    assert (found.n_rows, found.n_anomalies, found.seeds, found.protocol) == (N, 15, 3, "unsupervised")


def test_one_class_learns_from_the_drawn_rows_and_scores_the_others(seen):
    found = pynomaly.evaluate(TABLE, "y", ["hbos"], protocol="one-class", seeds=2)
    table = pynomaly.tables.read(TABLE)
    aucs = []
    for seed, run in enumerate(seen):
        frame = table.frame(["a", "b", "kind"])
        split = drawn(frame, table.columns[:3], table.labels("y"), ONE_CLASS, seed)
        assert np.array_equal(run["train"], split.train)
        assert np.array_equal(run["test"], split.test)
        scores = catalogue.load_class("hbos")(seed=seed).fit(split.train).score(split.test)
        aucs.append(metrics.roc_auc_score(split.labels, scores))
    assert len(seen) == 2
    assert found.algorithms[0].measures["auc_roc"].mean == pytest.approx(np.mean(aucs))


def test_labels_reach_no_algorithm(seen):
    shuffled = TABLE.assign(y=np.roll(TRUTH, 7))
    for table in (TABLE, shuffled):
        pynomaly.evaluate(table, "y", ["hbos", "pca"], seeds=1)
    for one, other in zip(seen[:2], seen[2:], strict=True):
        assert np.array_equal(one["train"], other["train"])
        assert one["train"].shape == (N, 3)
    pynomaly.evaluate(TABLE, "y", ["hbos"], columns=["a", "y"], seeds=1)
    assert np.array_equal(seen[-1]["train"], TABLE[["a"]].to_numpy())
    pynomaly.evaluate(TABLE, "y", ["hbos"], exclude=["kind"], seeds=1)
    assert np.array_equal(seen[-1]["train"], TABLE[["a", "b"]].to_numpy())


def test_an_algorithm_without_random_choices_runs_once_on_the_same_rows(seen):
    found = pynomaly.evaluate(TABLE, "y", ["hbos", "isolation_forest"], seeds=3)
    runs = {row.algorithm: row.runs for row in found.algorithms}
    assert runs == {"hbos": 1, "isolation_forest": 3}
    assert [run["seed"] for run in seen if run["name"] == "isolation_forest"] == [0, 1, 2]
    [hbos] = [row for row in found.algorithms if row.algorithm == "hbos"]
    assert hbos.measures["auc_roc"].sd is None
    found = pynomaly.evaluate(TABLE, "y", ["hbos"], protocol="one-class", seeds=3)
    assert found.algorithms[0].runs == 3
    assert found.algorithms[0].measures["auc_roc"].sd > 0


@pytest.mark.parametrize(
    ("protocol", "given", "clean"),
    [("unsupervised", {}, False), ("one-class", {}, True), ("one-class", {"clean_training": False}, False)],
)
def test_algorithms_are_told_that_the_training_rows_are_clean(entries, seen, protocol, given, clean):
    asks = Parameter("clean_training", "bool", False, "Is it free of anomalies?")
    entries["hbos"] = replace(entries["hbos"], parameters=(*entries["hbos"].parameters, asks))
    pynomaly.evaluate(TABLE, "y", [("hbos", given)], protocol=protocol, seeds=1)
    assert [run["algorithm"].params["clean_training"] for run in seen] == [clean]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FitFailed("The columns are odd."), "The columns are odd."),
        (MemoryError(), "There is not enough memory."),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
)
def test_one_that_fails_is_told_and_the_others_go_on(monkeypatch, error, says):
    tried = []

    def fail(self, X, progress):
        tried.append(self.seed)
        raise error

    monkeypatch.setattr(catalogue.load_class("pca"), "_fit", fail)
    monkeypatch.setattr(evaluation, "warm_up", lambda contender: None)
    found = pynomaly.evaluate(TABLE, "y", ["pca", "hbos"], protocol="one-class", seeds=2)
    assert [row.algorithm for row in found.algorithms] == ["hbos", "pca"]
    assert (found.algorithms[0].error, found.algorithms[0].runs) == (None, 2)
    assert (found.algorithms[1].error, found.algorithms[1].runs) == (says, 0)
    assert found.algorithms[1].measures == {}
    assert tried == [0]


def test_a_failure_in_a_later_run_is_a_failure(monkeypatch):
    fit = catalogue.load_class("isolation_forest")._fit

    def sometimes(self, X, progress):
        if self.seed:
            raise FitFailed("Not this time.")
        fit(self, X, progress)

    monkeypatch.setattr(catalogue.load_class("isolation_forest"), "_fit", sometimes)
    [row] = pynomaly.evaluate(TABLE, "y", ["isolation_forest"], seeds=2).algorithms
    assert (row.error, row.runs) == ("Not this time.", 0)


def test_an_algorithm_whose_extra_is_not_installed(entries, monkeypatch):
    entries["pca"] = replace(entries["pca"], extra="torch")
    monkeypatch.setattr(info, "installed", lambda package: False)
    found = pynomaly.evaluate(TABLE, "y", "pca, hbos", seeds=1)
    assert [row.error is None for row in found.algorithms] == [True, False]
    assert "pip install 'pynomaly-platform[torch]'" in found.algorithms[1].error
    assert "pca" not in [contender.name for contender in evaluation.contenders("all")]
    assert "pca" not in [contender.name for contender in evaluation.contenders(None)]


def test_by_default_the_default_and_the_fast_algorithms_are_compared(entries):
    first = next(iter(entries))
    entries[first] = replace(entries[first], tags={**entries[first].tags, "speed": "slow"})
    names = [contender.name for contender in evaluation.contenders(None)]
    fast = [name for name, entry in entries.items() if entry.tags["speed"] == "fast" and entry.available]
    assert names == [first, *fast]
    every = [name for name, entry in entries.items() if entry.available]
    assert [contender.name for contender in evaluation.contenders("all")] == every


def test_ways_to_name_algorithms():
    for given in (
        "hbos, knn(n_neighbors=9, method=mean), hbos",
        ["hbos", "knn(n_neighbors=9, method=mean)"],
        ("hbos", ("knn", {"n_neighbors": 9, "method": "mean"})),
    ):
        read = evaluation.contenders(given)
        assert [contender.spelled for contender in read] == ["hbos", "knn(n_neighbors=9, method=mean)"]
        assert read[1].parameters == {"n_neighbors": 9, "method": "mean"}


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"algorithms": ["hboss"]}, UnknownAlgorithm, "Did you mean 'hbos'"),
        ({"algorithms": ["knn(k=3)"]}, BadParameter, "no parameter 'k'"),
        ({"algorithms": [("knn", {"n_neighbors": 0})]}, BadParameter, "n_neighbors"),
        ({"algorithms": ["knn(5)"]}, UsageError, "name=value"),
        ({"algorithms": []}, UsageError, "at least one algorithm"),
        ({"algorithms": ","}, UsageError, "at least one algorithm"),
        ({"protocol": "both"}, UsageError, "unsupervised or one-class, not 'both'"),
        ({"seeds": 0}, UsageError, "at least 1, not 0"),
        ({"seeds": True}, UsageError, "at least 1, not True"),
        ({"seeds": 2.5}, UsageError, "at least 1, not 2.5"),
        ({"label_column": "z"}, LabelError, "no column 'z'"),
        ({"label_column": "a"}, LabelError, "not binary"),
        ({"columns": ["a", "c"]}, BadColumns, "no column 'c'"),
        ({"columns": ["y"]}, BadColumns, "none is named"),
        ({"exclude": "a"}, BadColumns, "list of column names"),
        ({"source": TABLE.assign(y=0)}, LabelError, "normal rows (0) only"),
        ({"source": TABLE.assign(y=1)}, LabelError, "anomalies (1) only"),
        (
            {"source": TABLE[TRUTH == 1].assign(y=[0, 0, 0, *[1] * 12]), "protocol": "one-class"},
            TooFewRows,
            "4",
        ),
    ],
)
def test_mistakes(changes, error, says):
    given = {"source": TABLE, "label_column": "y", "algorithms": ["hbos"]} | changes
    with pytest.raises(error) as raised:
        pynomaly.evaluate(**given)
    assert says in raised.value.message


def test_json_and_charts():
    found = pynomaly.evaluate(TABLE, "y", ["hbos", "pca"], seeds=1)
    told = json.loads(json.dumps(found.to_json(charts=True), allow_nan=False))
    assert list(told) == [
        "label_column",
        "protocol",
        "seeds",
        "n_rows",
        "n_anomalies",
        "algorithms",
        "notes",
    ]
    row = told["algorithms"][0]
    assert list(row) == ["algorithm", "runs", *evaluation.MEASURES, "error", "notes", "charts"]
    assert list(row["auc_roc"]) == ["mean", "sd"]
    roc = row["charts"]["roc"]
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert area == pytest.approx(row["auc_roc"]["mean"])
    assert len(row["charts"]["precision_recall"]["recall"]) == len(
        row["charts"]["precision_recall"]["precision"]
    )
    assert sum(row["charts"]["scores"]["anomaly"]) == 15
    assert "charts" not in found.to_json()["algorithms"][0]


def test_the_best_comes_first():
    some = "hbos, ecod, isolation_forest, local_outlier_factor, pca, one_class_svm"
    found = pynomaly.evaluate(TABLE, "y", some, columns=["a", "b"], seeds=1)
    aucs = [row.measures["auc_roc"].mean for row in found.algorithms if row.error is None]
    assert len(aucs) == 6
    assert len(set(aucs)) > 3
    assert aucs == sorted(aucs, reverse=True)


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (TABLE, "pandas"),
        (polars.DataFrame(COLUMNS), "polars"),
        (polars.DataFrame(COLUMNS).to_arrow(), "pyarrow"),
    ],
)
def test_frames(made, kind):
    found = pynomaly.evaluate(made, "y", ["hbos", "pca"], seeds=1)
    frame = found.to_frame()
    assert type(frame).__module__.startswith(kind)
    table = frame.to_pandas() if kind != "pandas" else frame
    assert list(table.columns[:4]) == ["algorithm", "runs", "auc_roc", "auc_roc_sd"]
    assert set(table["algorithm"]) == {"hbos", "pca"}
    assert table["auc_roc"].tolist() == [row.measures["auc_roc"].mean for row in found.algorithms]
    assert math.isnan(table["auc_roc_sd"][0])


def test_an_array_has_numbered_columns():
    X = np.column_stack([COLUMNS["a"], COLUMNS["b"], TRUTH])
    assert pynomaly.evaluate(X, "column_2", ["hbos"], seeds=1).n_anomalies == 15


def test_progress_goes_from_run_to_run():
    told = []
    pynomaly.evaluate(TABLE, "y", "hbos, isolation_forest", seeds=2, progress=lambda *at: told.append(at))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert {0.0, 0.25, 0.5, 0.75} <= set(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert {what for _, what in told} == {"hbos", "isolation_forest"}


def test_memory_and_seconds(monkeypatch):
    amounts = iter([(2.0, 30.0), (1.0, 5.0), (4.0, 6.0), (1.0, 8.0)])
    monkeypatch.setattr(peak, "growth", lambda work: (work(), *next(amounts)))
    [row] = pynomaly.evaluate(TABLE, "y", ["isolation_forest"], seeds=2).algorithms
    assert row.measures["fit_seconds"].mean == 3.0
    assert row.measures["score_seconds"] == evaluation.Measure(1.0, 0.0)
    assert row.measures["peak_mib"].mean == (30 + 8) / 2


def test_where_memory_cannot_be_measured(monkeypatch):
    monkeypatch.setattr(peak, "growth", lambda work: (work(), 1.0, None))
    found = pynomaly.evaluate(TABLE, "y", ["hbos"], seeds=1)
    assert found.to_json()["algorithms"][0]["peak_mib"] == {"mean": None, "sd": None}


def test_notes_tell_what_is_left_out_and_what_an_algorithm_did_otherwise():
    table = TABLE.assign(one=1.0)
    found = pynomaly.evaluate(table, "y", ["knn(n_neighbors=500)"], columns=["a", "b", "one"], seeds=1)
    assert [note.split(" is ")[0] for note in found.notes] == ["Column 'one'"]
    assert "149" in " ".join(found.algorithms[0].notes)


def test_kernels_are_ready_before_the_clock_runs(monkeypatch):
    order = []
    growth = peak.growth
    warmed = catalogue.load_class("hbos")
    monkeypatch.setattr(peak, "growth", lambda work: order.append("measured") or growth(work))
    monkeypatch.setattr(warmed, "warm_up", lambda X: order.append("warm"))
    pynomaly.evaluate(TABLE, "y", ["hbos"], protocol="one-class", seeds=2)
    assert order == ["warm", *["measured"] * 4]
