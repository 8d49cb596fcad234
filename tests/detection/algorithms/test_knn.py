"""k nearest neighbours: equal to scikit-learn's brute-force search, whatever the table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from pynomaly.detection.algorithms.knn import KNearestNeighbors
from pynomaly.errors import BadBundle, BadParameter

X = np.random.default_rng(0).normal(size=(700, 5)) * [1, 2, 3, 4, 5]
NEW = np.random.default_rng(1).normal(size=(200, 5)) * 6
COMBINED = {
    "largest": lambda d: d[:, -1],
    "mean": lambda d: d.mean(axis=1),
    "median": lambda d: np.median(d, axis=1),
}


def peer(train, rows, k, **metric):
    """Distances by scikit-learn; without `rows`, those of the training rows, each left out itself."""
    search = NearestNeighbors(n_neighbors=k, algorithm="brute", **metric).fit(train)
    return search.kneighbors(rows)[0]


@pytest.mark.parametrize("n_neighbors", [1, 2, 5, 50])
@pytest.mark.parametrize("method", sorted(COMBINED))
@pytest.mark.parametrize("scaling", ["robust", "standard", "none"])
def test_is_equal_to_scikit_learn(n_neighbors, method, scaling):
    ours = KNearestNeighbors(n_neighbors=n_neighbors, method=method, scaling=scaling).fit(X)
    train, new = ours._scaling.apply(X), ours._scaling.apply(NEW)
    combined = COMBINED[method]
    assert np.allclose(ours.training_scores_, combined(peer(train, None, n_neighbors)), rtol=1e-7)
    assert np.allclose(ours.score(NEW), combined(peer(train, new, n_neighbors)), rtol=1e-7)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"metric": "manhattan"}, {"metric": "manhattan"}),
        ({"metric": "chebyshev"}, {"metric": "chebyshev"}),
        ({"p": 1.5}, {"metric": "minkowski", "p": 1.5}),
        ({"p": 3.0}, {"metric": "minkowski", "p": 3}),
        ({"p": 6.0}, {"metric": "minkowski", "p": 6}),
        ({"metric": "euclidean", "p": 9.0}, {"metric": "euclidean"}),
    ],
)
def test_metrics_are_equal_to_scikit_learns(ours, theirs):
    trained = KNearestNeighbors(scaling="none", **ours).fit(X)
    assert np.allclose(trained.training_scores_, peer(X, None, 5, **theirs)[:, -1], rtol=1e-9)
    assert np.allclose(trained.score(NEW), peer(X, NEW, 5, **theirs)[:, -1], rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 200), d=st.integers(1, 8), levels=st.integers(1, 4))
def test_ties_and_duplicates_are_right(seed, n, d, levels):
    """On a small grid nearly all distances are tied; each row leaves one copy of itself out."""
    rows = np.random.default_rng(seed).integers(0, levels, (n, d)).astype(float)
    k = min(4, n - 1)
    ours = KNearestNeighbors(n_neighbors=k, scaling="none").fit(rows)
    assert np.allclose(ours.training_scores_, peer(rows, None, k)[:, -1], atol=1e-7)


def test_one_copy_of_a_training_row_is_left_out():
    rows = np.concatenate([X[:50], X[:3], X[:3]])
    ours = KNearestNeighbors(n_neighbors=3).fit(rows)
    assert np.array_equal(ours.score(rows), ours.training_scores_)
    assert (ours.training_scores_ > 0).all()
    twice = KNearestNeighbors(n_neighbors=2).fit(rows)
    assert (twice.training_scores_ == 0).sum() == 9


def test_a_share_of_the_rows_may_be_the_neighbours():
    by_share, by_count = (KNearestNeighbors(n_neighbors=k).fit(X) for k in (0.1, 70))
    assert np.array_equal(by_share.training_scores_, by_count.training_scores_)
    assert KNearestNeighbors(n_neighbors=1e-9).fit(X)._k == 1
    one = KNearestNeighbors(n_neighbors=1, scaling="none").fit(X)
    assert np.allclose(one.training_scores_, peer(X, None, 1)[:, 0])


@pytest.mark.parametrize("k", [0, -3, 2.5, "5"])
def test_other_numbers_of_neighbours_are_refused(k):
    with pytest.raises(BadParameter, match="n_neighbors"):
        KNearestNeighbors(n_neighbors=k)


def test_fewer_rows_than_neighbours_is_said():
    ours = KNearestNeighbors(n_neighbors=50).fit(X[:10])
    assert "all 9 others" in ours.notes_[0]
    assert np.isfinite(ours.score(NEW)).all()


def test_blocks_do_not_show(monkeypatch):
    whole = KNearestNeighbors(method="mean").fit(X)
    monkeypatch.setattr("pynomaly.detection.algorithms.knn.CELLS_AT_ONCE", 64)
    parts = KNearestNeighbors(method="mean").fit(X)
    assert np.array_equal(parts.training_scores_, whole.training_scores_)
    assert np.array_equal(parts.contributions(NEW), whole.contributions(NEW))


@pytest.mark.parametrize("k", [0, 700])
def test_impossible_neighbours_in_a_file_are_refused(k):
    ours = KNearestNeighbors().fit(X)
    with pytest.raises(BadBundle):
        KNearestNeighbors.from_state(ours.params, 0, ours.state() | {"k": np.array([k])})
