"""The one-class SVM: equal to scikit-learn's, exact or approximated."""

import numpy as np
import pytest
from sklearn import svm
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM

from pynomaly.detection.algorithms import svm as module
from pynomaly.detection.algorithms.svm import OneClassSVM
from pynomaly.detection.evaluate import auc_roc
from pynomaly.errors import FitFailed

X = np.random.default_rng(0).normal(size=(500, 4)) * [1, 2, 3, 40]
NEW = np.random.default_rng(1).normal(size=(200, 4)) * [2, 3, 4, 90]


@pytest.mark.parametrize("scaling", ["robust", "standard"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"nu": 0.05, "gamma": 0.3},
        {"gamma": "auto", "shrinking": False, "tol": 1e-6},
        {"kernel": "linear", "nu": 0.2},
        {"kernel": "poly", "degree": 2, "coef0": 1.0},
        {"kernel": "sigmoid", "gamma": 0.01, "coef0": 0.5},
    ],
)
def test_is_equal_to_scikit_learn(params, scaling):
    ours = OneClassSVM(scaling=scaling, **params).fit(X)
    peer = svm.OneClassSVM(**params).fit(ours._scaling.apply(X))
    for rows in (X, NEW):
        assert np.allclose(
            ours.score(rows), -peer.decision_function(ours._scaling.apply(rows)), rtol=1e-7, atol=1e-9
        )


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly", "sigmoid"])
def test_approximation_is_equal_to_scikit_learn(kernel):
    ours = OneClassSVM(kernel=kernel, method="nystroem", n_components=40, seed=4, gamma=0.05).fit(X)
    assert "approximated from 40 rows" in ours.notes_[0]
    shape = {} if kernel == "linear" else {"gamma": 0.05}
    shape |= {"coef0": 0.0} if kernel in ("poly", "sigmoid") else {}
    shape |= {"degree": 3} if kernel == "poly" else {}
    mapping = Nystroem(kernel=kernel, n_components=40, random_state=4, **shape)
    train = mapping.fit_transform(ours._scaling.apply(X))
    peer = SGDOneClassSVM(random_state=4).fit(train)
    expected = -peer.decision_function(mapping.transform(ours._scaling.apply(NEW)))
    assert np.allclose(ours.score(NEW), expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


def test_approximates_many_rows_and_says_so(monkeypatch):
    monkeypatch.setattr(module, "MAX_EXACT_ROWS", 1000)
    monkeypatch.setattr(module, "MAX_APPROXIMATE_ROWS", 1500)
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(2000, 4))
    rows[:60] *= 4
    labels = np.arange(2000) < 60
    ours = OneClassSVM(n_components=100).fit(rows)
    assert "approximated" in ours.notes_[0]
    assert "sample of 1500 of the 2000" in ours.notes_[1]
    exact = OneClassSVM(method="exact").fit(rows)
    assert exact.notes_ == ()
    difference = auc_roc(labels, exact.training_scores_) - auc_roc(labels, ours.training_scores_)
    assert abs(difference) < 0.02


def test_a_solver_that_is_stopped_is_said(monkeypatch):
    monkeypatch.setattr(module, "MIN_STEPS", 2)
    monkeypatch.setattr(module, "STEPS_PER_ROW", 0)
    assert "stopped after 2 steps" in OneClassSVM().fit(X).notes_[0]


def test_no_border_is_refused(monkeypatch):
    monkeypatch.setattr(OneClassSVM, "_solve", lambda self, X: (X, np.full(len(X), np.nan), 0.0))
    with pytest.raises(FitFailed, match="scale the columns"):
        OneClassSVM().fit(X)
