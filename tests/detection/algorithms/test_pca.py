"""Principal components: the sums that the paper names, exact shares, flat and constant columns."""

import numpy as np
import pytest
from sklearn.decomposition import PCA as Peer

from pynomaly.detection.algorithms.pca import FLATTEST, PCA

RNG = np.random.default_rng(3)
X = RNG.normal(size=(400, 5)) @ RNG.normal(size=(5, 5)) * [1, 10, 100, 1, 1e-3] + 7
NEW = RNG.normal(size=(60, 5)) * X.std(axis=0) * 3 + X.mean(axis=0)
SCALED = (NEW - X.mean(axis=0)) / X.std(axis=0)
TRAIN = (X - X.mean(axis=0)) / X.std(axis=0)


def test_without_shrinkage_it_is_the_mahalanobis_distance():
    precision = np.linalg.inv(np.cov(X.T, bias=True))
    gap = NEW - X.mean(axis=0)
    expected = np.einsum("ij,jk,ik->i", gap, precision, gap)
    assert np.allclose(PCA(shrinkage=0.0).fit(X).score(NEW), expected, rtol=1e-6)


def test_with_full_shrinkage_it_is_the_squared_distance():
    assert np.allclose(PCA(shrinkage=1.0).fit(X).score(NEW), (SCALED**2).sum(axis=1), rtol=1e-9)


@pytest.mark.parametrize("shrinkage", [0.0, 0.3, 0.9])
def test_is_the_weighted_sum_over_components(shrinkage):
    peer = Peer().fit(TRAIN)
    variances = peer.explained_variance_ * 399 / 400
    weights = (1 - shrinkage) * variances + shrinkage * variances.mean()
    expected = (peer.transform(SCALED) ** 2 / weights).sum(axis=1)
    assert np.allclose(PCA(shrinkage=shrinkage).fit(X).score(NEW), expected, rtol=1e-6)


@pytest.mark.parametrize("variance", [0.0, 0.5, 0.9, 1.0])
def test_major_and_minor_components_share_the_score(variance):
    peer = Peer().fit(TRAIN)
    share = np.cumsum(peer.explained_variance_ratio_)
    major = min(int((share < variance - 1e-12).sum()) + 1, 5)
    squares = peer.transform(SCALED) ** 2 / (0.1 * peer.explained_variance_ * 399 / 400 + 0.9)
    got = {
        which: PCA(components=which, variance=variance).fit(X).score(NEW)
        for which in ("major", "minor", "all")
    }
    if variance > 0:
        assert np.allclose(got["major"], squares[:, :major].sum(axis=1), rtol=1e-6)
    least = squares[:, min(major, 4) :] if variance > 0 else squares[:, 1:]
    assert np.allclose(got["minor"], least.sum(axis=1), rtol=1e-6)
    if variance < 1:
        assert np.allclose(got["major"] + got["minor"], got["all"], rtol=1e-9)


def test_contributions_add_up_to_the_score():
    for params in ({}, {"components": "minor"}, {"scaling": "rank"}):
        trained = PCA(**params).fit(X)
        assert np.allclose(trained.contributions(NEW).sum(axis=1), trained.score(NEW), rtol=1e-9)


def test_rows_that_leave_a_plane_score_highest():
    flat = np.column_stack([X, X[:, 0] - 2 * X[:, 1]])
    trained = PCA(shrinkage=0.0).fit(flat)
    off = flat[:1] + np.array([0, 0, 0, 0, 0, 5 * flat[:, 5].std()])
    assert trained.score(off)[0] > 1 / FLATTEST > 10 * trained.training_scores_.max()


def test_units_do_not_matter():
    assert np.allclose(PCA().fit(X * [1e9, 1, 1e-9, 3, 7]).training_scores_, PCA().fit(X).training_scores_)


def test_constant_rows_score_nothing():
    assert not PCA().fit(np.full((20, 3), 4.0)).training_scores_.any()
