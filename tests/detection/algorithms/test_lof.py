"""The local outlier factor: equal to scikit-learn's."""

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor as Peer

from pynomaly.detection.algorithms.lof import LocalOutlierFactor
from pynomaly.errors import BadBundle, FitFailed

X = np.random.default_rng(0).normal(size=(700, 5)) * [1, 2, 3, 4, 5]
NEW = np.random.default_rng(1).normal(size=(200, 5)) * 6


@pytest.mark.parametrize("n_neighbors", [1, 5, 20, 100])
@pytest.mark.parametrize(
    ("metric", "p"),
    [("minkowski", 2), ("minkowski", 3), ("euclidean", 2), ("manhattan", 2), ("chebyshev", 2)],
)
@pytest.mark.parametrize("scaling", ["robust", "none"])
def test_is_equal_to_scikit_learn(n_neighbors, metric, p, scaling):
    ours = LocalOutlierFactor(n_neighbors=n_neighbors, metric=metric, p=p, scaling=scaling).fit(X)
    train, new = ours._scaling.apply(X), ours._scaling.apply(NEW)
    peer = Peer(n_neighbors=n_neighbors, metric=metric, p=p, novelty=True).fit(train)
    assert np.allclose(ours.training_scores_, -peer.negative_outlier_factor_, rtol=1e-9)
    assert np.allclose(ours.score(NEW), -peer.score_samples(new), rtol=1e-9)


def test_one_copy_of_a_training_row_is_left_out():
    rows = np.concatenate([X[:50], X[:3]])
    ours = LocalOutlierFactor(n_neighbors=4).fit(rows)
    assert np.array_equal(ours.score(rows), ours.training_scores_)
    peer = Peer(n_neighbors=4).fit(ours._scaling.apply(rows))
    assert np.allclose(ours.training_scores_, -peer.negative_outlier_factor_, rtol=1e-9)


def test_many_copies_are_quick_and_finite():
    rows = np.concatenate([np.zeros((20_000, 3)), X[:100, :3]])
    ours = LocalOutlierFactor(scaling="none").fit(rows)
    assert np.isfinite(ours.training_scores_).all()
    assert ours.training_scores_[:20_000] == pytest.approx(1)
    assert ours.training_scores_[20_000:].max() > 1e6


def test_fewer_rows_than_neighbours_is_said():
    ours = LocalOutlierFactor(n_neighbors=50).fit(X[:10])
    assert "all 9 others" in ours.notes_[0]
    assert np.isfinite(ours.score(NEW)).all()


def test_too_many_neighbours_in_all_are_refused(monkeypatch):
    monkeypatch.setattr("pynomaly.detection.algorithms.lof.MAX_NEIGHBOURS", 1000)
    with pytest.raises(FitFailed, match="at most 1"):
        LocalOutlierFactor().fit(X)


def test_more_neighbours_than_points_are_refused():
    ours = LocalOutlierFactor().fit(X)
    with pytest.raises(BadBundle):
        LocalOutlierFactor.from_state(ours.params, 0, ours.state() | {"k": np.array([700])})
