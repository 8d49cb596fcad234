"""Kernel density: the sum of all bumps for new rows, one copy left out for training rows."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity as Peer

from pynomaly.detection.algorithms import kde as module
from pynomaly.detection.algorithms.kde import KDE

RNG = np.random.default_rng(5)
X = RNG.normal(size=(250, 3)) * [1, 20, 0.1]
NEW = RNG.normal(size=(90, 3)) * [3, 30, 1]


@pytest.mark.parametrize("scaling", ["none", "standard", "robust"])
@pytest.mark.parametrize(
    ("bandwidth", "width"),
    [
        (0.7, 0.7),
        ("scott", 250 ** (-1 / 7)),
        ("silverman", (250 * 5 / 4) ** (-1 / 7)),
        ("auto", 1.5 * 250 ** (-1 / 7)),
    ],
)
def test_new_rows_have_the_density_of_all_bumps(bandwidth, width, scaling):
    ours = KDE(bandwidth=bandwidth, scaling=scaling).fit(X)
    train, rows = ours._scaling.apply(X), ours._scaling.apply(NEW)
    logs = -cdist(rows, train, "sqeuclidean") / (2 * width**2)
    density = logsumexp(logs, axis=1) - np.log(250) - 3 * np.log(width * np.sqrt(2 * np.pi))
    assert np.allclose(ours.score(NEW), -density, rtol=1e-10)
    between = (X[:50] + X[50:100]) / 2  # where the density is low, scikit-learn's tree is not exact
    expected = -Peer(bandwidth=width).fit(train).score_samples(ours._scaling.apply(between))
    assert np.allclose(ours.score(between), expected, rtol=1e-6)


def test_a_training_row_leaves_itself_out():
    ours = KDE(bandwidth=1.0, scaling="none").fit(X)
    for i in (0, 17, 249):
        squares = ((np.delete(X, i, axis=0) - X[i]) ** 2).sum(axis=1)
        expected = np.log(250) + 1.5 * np.log(2 * np.pi) - logsumexp(-squares / 2)
        assert ours.training_scores_[i] == pytest.approx(expected, rel=1e-10)


def test_of_several_copies_one_is_left_out():
    rows = np.concatenate([np.zeros((3, 1)), np.full((97, 1), 1e3)])
    ours = KDE(bandwidth=1.0, scaling="none").fit(rows)
    assert ours.training_scores_[0] == pytest.approx(np.log(100) + np.log(2 * np.pi) / 2 - np.log(2))


def test_far_rows_do_not_underflow():
    near, far = KDE().fit(X).score(np.array([[1e4, 0, 0], [1e8, 0, 0]]))
    assert near < far < np.inf


@pytest.mark.parametrize("asked", ["auto", 125, 0.5])
def test_many_rows_are_sampled_and_said(monkeypatch, asked):
    monkeypatch.setattr(module, "AUTO_ROWS", 125)
    ours = KDE(max_samples=asked).fit(X)
    assert "sample of 125 of the 250" in ours.notes_[0]
    assert ours._points.shape == (3, 125)
    assert len(ours.training_scores_) == 250
    assert np.corrcoef(ours.training_scores_, KDE().fit(X).training_scores_)[0, 1] > 0.9
