"""Training rows scored as if they were new: by folds, as told, and p-values that keep their promise."""

import numpy as np
import pytest

import pynomaly
from pynomaly.detection import conformal
from pynomaly.detection.catalogue import create
from pynomaly.detection.conformal import fold_count, out_of_sample_scores
from pynomaly.detection.scoring import Calibration


def normal(n, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def test_each_row_is_scored_by_a_model_that_has_not_seen_it(monkeypatch):
    """The same by hand: for every fold, a model of the other rows scores it."""
    monkeypatch.setattr(conformal, "FOLDS", ((100, 4),))
    X = normal(50)
    trained = create("elliptic_envelope", {}, 3).fit(X)
    scores = trained.calibration_scores(X)
    expected = np.empty(50)
    for part in np.array_split(np.random.default_rng([3, 50]).permutation(50), 4):
        others = np.setdiff1d(np.arange(50), part)
        expected[part] = create("elliptic_envelope", {}, 3).fit(X[others]).score(X[part])
    assert (scores == expected).all()
    assert not (scores == trained.training_scores_).any()


def test_leaving_out_each_row_alone_is_what_neighbours_do_anyway(monkeypatch):
    monkeypatch.setattr(conformal, "FOLDS", ((100, 100),))
    X = normal(40)
    trained = create("knn", {"scaling": "none"}).fit(X)
    assert trained.out_of_sample_
    assert trained.calibration_scores(X) is trained.training_scores_
    assert out_of_sample_scores(trained, X) == pytest.approx(trained.training_scores_)


def test_scores_that_grow_with_the_rows_are_made_comparable():
    """The one-class SVM's distance is a sum over the training rows: a tenth fewer rows, a tenth less."""
    X = normal(300, 2)
    trained = create("one_class_svm").fit(X)
    scores = trained.calibration_scores(X)
    new = trained.score(normal(3000, 2, seed=1))
    shares = [0.1, 0.5, 0.9]
    spread = new.std()
    assert np.abs(np.quantile(scores, shares) - np.quantile(new, shares)).max() < 0.15 * spread


def test_more_rows_have_fewer_folds_and_very_many_none(monkeypatch):
    assert [fold_count(n) for n in (2, 500, 501, 2000, 2001, 10_001, 50_000, 50_001)] == [
        10, 10, 3, 3, 3, 2, 2, 1,
    ]  # fmt: skip
    monkeypatch.setattr(conformal, "FOLDS", ((10, 5),))
    X = normal(11)
    trained = create("elliptic_envelope").fit(X)
    assert trained.calibration_scores(X) is trained.training_scores_


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_handful_of_rows_is_calibrated_somehow(n):
    X = normal(n)
    for name in ("isolation_forest", "elliptic_envelope", "one_class_svm", "hbos"):
        scores = create(name).fit(X).calibration_scores(X)
        assert scores.shape == (n,)
        p = Calibration.fit(scores).p_values(scores)
        assert ((p >= 1 / (n + 1)) & (p <= 1)).all()


def test_a_fold_that_cannot_be_learned_from_leaves_the_training_scores(monkeypatch):
    from pynomaly.errors import FitFailed

    X = normal(30)
    trained = create("elliptic_envelope").fit(X)

    def refuse(*_):
        raise FitFailed("No.")

    monkeypatch.setattr(type(trained), "_fit", refuse)
    assert trained.calibration_scores(X) is trained.training_scores_


def test_progress_is_told_up_to_the_end():
    told = []
    X = normal(60)
    create("isolation_forest").fit(X).calibration_scores(X, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("name", ["isolation_forest", "elliptic_envelope", "knn", "one_class_svm", "hbos"])
def test_new_rows_like_the_training_rows_seldom_have_small_p_values(name):
    """P(p <= a) <= a, over many trainings on few rows; in-sample scores of a flexible model break this."""
    below = {0.05: [], 0.2: []}
    for seed in range(25):
        detector = pynomaly.Detector(name, seed=seed).fit(normal(80, 4, seed))
        p = detector.model.calibration.p_values(detector.score(normal(200, 4, 1000 + seed)))
        for a, shares in below.items():
            shares.append((p <= a).mean())
    for a, shares in below.items():
        assert np.mean(shares) <= a + 3 * np.std(shares) / np.sqrt(len(shares))


def test_training_scores_would_not_do():
    """What the test above would say of p-values against the training scores of histograms."""
    shares = []
    for seed in range(25):
        detector = pynomaly.Detector("hbos", seed=seed).fit(normal(80, 10, seed))
        scores = detector.score(normal(200, 10, 1000 + seed))
        shares.append((detector.model.training.p_values(scores) <= 0.05).mean())
    assert np.mean(shares) > 0.05 + 3 * np.std(shares) / np.sqrt(len(shares))


@pytest.mark.parametrize("name", ["elliptic_envelope", "knn"])
def test_the_false_discovery_rate_is_kept_and_anomalies_are_found(name):
    """The short version of benchmarks/fdr.py."""
    false, found = [], []
    for seed in range(40):
        rng = np.random.default_rng([seed, 7])
        detector = pynomaly.Detector(name, fdr=0.2, seed=seed).fit(rng.normal(size=(300, 3)))
        X = rng.normal(size=(200, 3))
        X[:20] += 8
        flagged = detector.model.judge(detector.score(X))[2]
        false.append(flagged[20:].sum() / max(1, flagged.sum()))
        found.append(flagged[:20].mean())
    assert np.mean(false) <= 0.2 + 2 * np.std(false) / np.sqrt(len(false))
    assert np.mean(false) >= 0.1  # nor is it kept by flagging next to nothing
    assert np.mean(found) > 0.95
