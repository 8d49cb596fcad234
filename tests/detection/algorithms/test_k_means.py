"""k-means: as good as scikit-learn's, the same on any number of threads."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from pynomaly.detection.algorithms import k_means as module
from pynomaly.detection.algorithms.k_means import count_nearest, k_means
from pynomaly.detection.algorithms.threads import limit_threads

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3000, 4)) + RNG.choice([0, 6, 12, 20], (3000, 4))


def inertia(rows, centers):
    return ((rows[:, :, None] - centers[None]) ** 2).sum(axis=1).min(axis=1).sum()


@pytest.mark.parametrize("k", [1, 2, 8, 30])
def test_inertia_is_as_low_as_scikit_learns(k):
    ours = [inertia(X, k_means(X, k, 3, np.random.default_rng(seed))) for seed in range(3)]
    peers = [KMeans(k, n_init=3, random_state=seed).fit(X).inertia_ for seed in range(3)]
    assert np.mean(ours) < 1.05 * np.mean(peers)


def test_centers_are_the_means_of_their_rows():
    centers = k_means(X, 5, 1, np.random.default_rng(1))
    nearest = ((X[:, :, None] - centers[None]) ** 2).sum(axis=1).argmin(axis=1)
    means = np.stack([X[nearest == c].mean(axis=0) for c in range(5)], axis=1)
    assert np.allclose(centers, means, atol=0.05)
    assert list(count_nearest(X, centers)) == list(np.bincount(nearest))


def test_threads_do_not_matter(monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 100)
    many = k_means(X, 6, 1, np.random.default_rng(1))
    limit_threads(1)
    try:
        assert np.array_equal(k_means(X, 6, 1, np.random.default_rng(1)), many)
    finally:
        limit_threads(None)


def test_equal_rows_share_a_center():
    centers = k_means(np.repeat(np.eye(2), 20, axis=0), 5, 2, np.random.default_rng(0))
    assert sorted(map(tuple, centers.T)) == [(0, 1), (1, 0)]
