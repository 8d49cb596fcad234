"""Gaussian mixture: scikit-learn's densities, clusters of anomalies left out, stated fallbacks."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as Peer

from pynomaly.detection.algorithms import gmm as module
from pynomaly.detection.algorithms.gmm import GMM
from pynomaly.detection.algorithms.mixture import _clusters

RNG = np.random.default_rng(4)
X = np.concatenate([RNG.normal(size=(300, 3)) @ RNG.normal(size=(3, 3)), RNG.normal(size=(300, 3)) * 0.3 + 6])
NEW = RNG.normal(size=(80, 3)) * 5


def from_the_same_start(rows, n_components, reg_covar=0.1, seed=3):
    """Make scikit-learn's mixture of the clusters that ours starts from."""
    shares = _clusters(rows, n_components, seed)
    sums, means, d = shares.sum(axis=0), shares.T @ rows / shares.sum(axis=0)[:, None], rows.shape[1]
    precisions = [
        np.linalg.inv((rows[member] - mean).T @ (rows[member] - mean) / count + reg_covar * np.eye(d))
        for member, mean, count in zip(shares.T > 0, means, sums, strict=True)
    ]
    start = {"weights_init": sums / len(rows), "means_init": means, "precisions_init": np.array(precisions)}
    return Peer(n_components, reg_covar=reg_covar, **start).fit(rows)


@pytest.mark.parametrize("scaling", ["none", "standard", "robust"])
@pytest.mark.parametrize("params", [{"n_components": 2}, {"n_components": 5, "reg_covar": 1e-3}])
def test_is_equal_to_scikit_learn(params, scaling):
    ours = GMM(seed=3, scaling=scaling, normal_share=1.0, **params).fit(X)
    peer = from_the_same_start(ours._scaling.apply(X), **params)
    for rows in (X, NEW):
        assert np.allclose(ours.score(rows), -peer.score_samples(ours._scaling.apply(rows)), rtol=1e-6)
    assert ours.notes_ == ()


def test_starts_are_as_good_as_scikit_learns():
    rows = (X - X.mean(axis=0)) / X.std(axis=0)
    ours = [GMM(seed=s, n_components=5, scaling="none", normal_share=1.0).fit(rows) for s in range(9)]
    peers = [Peer(5, reg_covar=0.1, random_state=s).fit(rows).score(rows) for s in range(9)]
    assert -np.median([gmm.training_scores_.mean() for gmm in ours]) > np.median(peers) - 0.02


def test_a_light_cluster_is_not_normal():
    crowd = np.concatenate([X, RNG.normal(size=(40, 3)) * 0.1 + [0, 12, -12]])
    ours, all_of_them = GMM(n_components=3).fit(crowd), GMM(n_components=3, normal_share=1.0).fit(crowd)
    assert len(ours._means) == 2
    assert ours.training_scores_[-40:].min() > np.quantile(ours.training_scores_[:-40], 0.99)
    assert np.median(all_of_them.training_scores_[-40:]) < np.quantile(
        all_of_them.training_scores_[:-40], 0.9
    )


def test_components_are_kept_until_they_hold_the_share():
    for share, kept in ((0.4, 1), (0.5, 1), (0.6, 2), (1.0, 2)):
        assert len(GMM(n_components=2, normal_share=share).fit(X[50:])._means) == kept


def test_contributions_are_shares_of_half_the_squared_distance():
    ours = GMM(n_components=1, scaling="none").fit(X)
    peer = Peer(reg_covar=0.1).fit(X)
    gap = NEW - peer.means_[0]
    assert np.allclose(ours.contributions(NEW), gap * (gap @ peer.precisions_[0]) / 2, rtol=1e-6, atol=1e-9)
    rest = ours.score(NEW) - ours.contributions(NEW).sum(axis=1)
    assert np.allclose(rest, rest[0])


def test_contributions_are_weighted_by_membership():
    ours = GMM(n_components=2, scaling="none", normal_share=1.0).fit(X)
    peer = Peer(2, reg_covar=0.1, random_state=0).fit(X)
    expected = np.zeros(NEW.shape)
    for c in range(2):
        gap = NEW - peer.means_[c]
        expected += peer.predict_proba(NEW)[:, [c]] * gap * (gap @ peer.precisions_[c]) / 2
    assert np.allclose(ours.contributions(NEW), expected, rtol=1e-5, atol=1e-8)


def test_few_rows_bear_few_components_and_it_is_said():
    ours = GMM().fit(X[:30])
    assert "3 of 8 components" in ours.notes_[0]
    assert "1 of 8" in GMM().fit(X[:5]).notes_[0]


@pytest.mark.parametrize("asked", ["auto", 300, 0.5])
def test_many_rows_are_sampled_and_said(monkeypatch, asked):
    monkeypatch.setattr(module, "AUTO_ROWS", 300)
    ours = GMM(n_components=2, max_samples=asked).fit(X)
    assert "sample of 300 of the 600" in ours.notes_[0]
    assert len(ours.training_scores_) == 600
    assert np.corrcoef(ours.training_scores_, GMM(n_components=2).fit(X).training_scores_)[0, 1] > 0.95


def test_a_singular_covariance_is_said():
    ours = GMM(scaling="none", reg_covar=1e-6).fit(np.column_stack([X, X]) * 1e90)
    assert "singular" in ours.notes_[-1]
    assert ours.score(np.full((1, 6), 1e99))[0] > ours.training_scores_.max()


def test_duplicates_do_no_harm():
    ours = GMM().fit(np.repeat(X[:20], 40, axis=0))
    assert np.isfinite(ours.training_scores_).all()
    assert ours.score(np.full((1, 3), 50.0))[0] > ours.training_scores_.max()
