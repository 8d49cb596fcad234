"""The minimum covariance determinant: as low as scikit-learn's, unharmed by clusters of bad rows."""

import itertools

import numpy as np
import pytest
from sklearn.covariance import MinCovDet, fast_mcd

from pynomaly.detection.algorithms import determinant
from pynomaly.detection.algorithms.determinant import LeastDeterminant, is_singular, precision, squared


def table(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d))


def search(share=0.75, ridge=0.0, centred=False, seed=0):
    return LeastDeterminant(share, ridge, centred, seed)


def log_determinant(rows):
    return np.linalg.slogdet(np.cov(rows.T, bias=True))[1]


def test_finds_the_best_of_all_sets_of_rows():
    X = table(12, 2, seed=3)
    X[:2] += 9
    best = min(log_determinant(X[list(rows)]) for rows in itertools.combinations(range(12), 9))
    found = search(0.75)._search(X)
    assert np.linalg.slogdet(found.covariance)[1] == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(("n", "d"), [(300, 3), (500, 10), (4000, 6)])
def test_determinant_is_as_low_as_scikit_learns(n, d):
    X = table(n, d)
    X[: n // 10] += 5
    _, covariance, *_ = fast_mcd(X, support_fraction=0.75, random_state=0)
    ours = np.linalg.slogdet(search()._search(X).covariance)[1]
    assert ours <= np.linalg.slogdet(covariance)[1] + 0.01


@pytest.mark.parametrize("d", [2, 10, 60])
@pytest.mark.parametrize("ridge", [0.0, 0.0625])
def test_a_dense_cluster_of_bad_rows_stays_outside(d, ridge):
    X = np.random.default_rng(d).normal(size=(1200, d))
    X[:240] += 8
    bulk = search(ridge=ridge).fit(X)
    distances = squared(X - bulk.center, np.linalg.inv(bulk.covariance))
    assert np.abs(bulk.center).max() < 0.3
    assert distances[:240].min() > distances[240:].max()


def test_reweighting_is_scikit_learns():
    X = table(800, 4)
    peer = MinCovDet(support_fraction=0.75, random_state=0).fit(X)
    bulk = search().fit(X)
    shape = bulk.covariance / np.trace(bulk.covariance)
    assert np.allclose(shape, peer.covariance_ / np.trace(peer.covariance_), atol=0.01)
    assert np.allclose(bulk.center, peer.location_, atol=0.05 * np.sqrt(np.diag(peer.covariance_)).max())


def test_a_centred_search_keeps_its_centre():
    bulk = search(centred=True).fit(table(200, 3) + 1)
    assert not bulk.center.any()


def test_wide_tables_need_no_random_start():
    X = table(200, 50)
    one, other = (search(ridge=0.0625, seed=seed).fit(X) for seed in (1, 2))
    assert np.array_equal(one.covariance, other.covariance)


def test_starts_are_few_rows_of_many(monkeypatch):
    X = table(3000, 4)
    whole = search(ridge=0.0625).fit(X)
    monkeypatch.setattr(determinant, "START_ROWS", 200)
    assert np.allclose(search(ridge=0.0625).fit(X).covariance, whole.covariance, rtol=0.05, atol=0.05)


def test_normal_rows_get_no_ridge():
    X = table(5000, 3)
    bulk = search(ridge=0.0625).fit(X)
    assert np.allclose(precision(bulk, X, 0.0625), np.linalg.inv(bulk.covariance), rtol=0.1, atol=0.02)


def test_the_ridge_is_what_the_tails_show_and_at_most_what_is_allowed():
    X = np.random.default_rng(0).normal(size=(4000, 2)) * [1, 0.001]
    X[:1200, 1] *= 5000
    bulk = determinant.Ellipsoid(np.zeros(2), np.diag([1.0, 1e-6]))
    for ridge in (0.01, 0.25):
        assert precision(bulk, X, ridge)[1, 1] == pytest.approx(1 / ridge, rel=0.01)
    X[:, 1] /= 100
    reach = np.quantile(np.abs(X[:, 1]), 0.9) / 1.6449
    assert precision(bulk, X, 0.25)[1, 1] == pytest.approx(1 / reach**2, rel=0.01)


def test_where_the_bulk_does_not_vary_all_rows_tell():
    X = np.random.default_rng(0).normal(size=(1000, 2))
    X[:, 1] = np.arange(1000) < 200
    bulk = determinant.Ellipsoid(np.zeros(2), np.diag([1.0, 0.0]))
    assert precision(bulk, X, 0.0625)[1, 1] == pytest.approx(5)
    assert precision(bulk, X * 100, 0.0625)[1, 1] == pytest.approx(1)
    assert precision(bulk, X * 0.01, 0.0625)[1, 1] == pytest.approx(16)


def test_singular_means_that_a_combination_does_not_vary():
    assert is_singular(np.zeros((2, 2)))
    assert is_singular(np.array([[1.0, 2], [2, 4]]))
    assert not is_singular(np.diag([1.0, 1e-6]))
