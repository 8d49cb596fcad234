"""Scores shared out to columns by gaps: by hand, and against rows that mislead plain neighbours."""

import numpy as np
import pytest

from pynomaly.detection.algorithms.gaps import COMPARED, shared_by_gaps
from pynomaly.detection.catalogue import create

NORMAL = np.random.default_rng(0).normal(size=(300, 4))
NAMES = ("knn", "dte_nonparametric", "local_outlier_factor")


@pytest.mark.parametrize(
    ("metric", "p", "power"),
    [("minkowski", 2.0, 2), ("minkowski", 3.0, 3), ("euclidean", 7.0, 2), ("manhattan", 2.0, 1)],
)
def test_shares_are_the_columns_parts_of_the_power_sum(metric, p, power):
    rows, scores = np.random.default_rng(1).normal(size=(20, 4)) * 4, np.arange(20.0)
    capped = np.minimum(np.abs(rows[:, None] - NORMAL), 1).sum(axis=2)
    found = np.argsort(capped, axis=1, kind="stable")[:, :COMPARED]
    powers = (np.abs(rows[:, None] - NORMAL[found]) ** power).sum(axis=1)
    expected = scores[:, None] * powers / powers.sum(axis=1, keepdims=True)
    assert np.allclose(shared_by_gaps(scores, rows, NORMAL, metric, p), expected, rtol=1e-12)


def test_chebyshev_leaves_nearly_all_to_the_largest_gap():
    shares = shared_by_gaps(np.array([2.0]), np.array([[5.0, -4.0, 0, 0]]), NORMAL, "chebyshev", 2.0)
    assert shares[0, 0] > 1.99


def test_a_row_like_the_normal_ones_has_no_shares():
    same = np.ones((30, 3))
    assert not shared_by_gaps(np.array([1.0]), same[:1], same, "euclidean", 2.0).any()


def test_huge_gaps_neither_overflow_nor_vanish():
    for size in (1e100, 1e-200):
        rows = np.array([[3.0, 1.0]]) * size
        shares = shared_by_gaps(np.array([1.0]), rows, np.zeros((5, 2)), "minkowski", 100.0)
        assert np.allclose(shares, [[1, 0]])


@pytest.mark.parametrize("name", NAMES)
def test_contributions_add_up_to_the_score(name):
    X = np.random.default_rng(2).normal(size=(400, 5))
    algorithm = create(name).fit(X)
    rows = X[:50] * 3
    assert algorithm.contributions(rows).sum(axis=1) == pytest.approx(algorithm.score(rows), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_anomalies_nearby_do_not_mislead(name):
    """Many rows are spoilt in the same columns: the nearest row of one is often another of them."""
    rng = np.random.default_rng(3)
    centers = rng.normal(size=(3, 5)) * 6
    X = centers[rng.integers(0, 3, 2000)] + rng.normal(size=(2000, 5))
    spoilt, columns = rng.choice(2000, 60, replace=False), rng.integers(0, 5, 60)
    X[spoilt, columns] += 8 * X.std(axis=0)[columns]
    algorithm = create(name, {"n_neighbors": 5}).fit(X)
    first = algorithm.contributions(X[spoilt]).argmax(axis=1)
    assert (first == columns).mean() >= 0.95
