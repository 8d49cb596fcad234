"""CBLOF: distances by hand, large and small clusters as in the paper, exact shares."""

import numpy as np
import pytest

from pynomaly.detection.algorithms import cblof as module
from pynomaly.detection.algorithms.cblof import CBLOF
from pynomaly.errors import BadBundle


def groups(sizes, centers, seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(n, 2)) * 0.3 + c for n, c in zip(sizes, centers, strict=True)])


def test_small_clusters_are_measured_from_the_nearest_large_one():
    X = groups([200, 100, 6], [(0, 0), (10, 0), (10, 6)])
    detector = CBLOF(n_clusters=3, scaling="none").fit(X)
    means = [X[:200].mean(axis=0), X[200:300].mean(axis=0)]
    expected = [
        *np.linalg.norm(X[:200] - means[0], axis=1),
        *np.linalg.norm(X[200:300] - means[1], axis=1),
        *np.linalg.norm(X[300:] - means[1], axis=1),
    ]
    assert np.allclose(detector.training_scores_, expected)
    assert detector.training_scores_[300:].min() > detector.training_scores_[:300].max()


@pytest.mark.parametrize(
    ("counts", "alpha", "beta", "small"),
    [
        ([50, 30, 15, 5], 0.9, 10.0, [0, 0, 0, 1]),  # the share is held by three
        ([50, 30, 15, 5], 0.8, 10.0, [0, 0, 1, 1]),
        ([50, 5, 45], 0.99, 5.0, [0, 1, 0]),  # the third is nine times smaller
        ([80, 10, 10], 0.9, 5.0, [0, 1, 1]),  # the second is eight times smaller
        ([40, 30, 30], 1.0, 5.0, [0, 0, 0]),
        ([7], 0.9, 5.0, [0]),
    ],
)
def test_clusters_are_large_up_to_the_share_or_the_drop(counts, alpha, beta, small):
    detector = CBLOF(alpha=alpha, beta=beta)
    assert list(detector._find_small(np.array(counts))) == small


def test_contributions_are_exact():
    X = np.random.default_rng(0).normal(size=(400, 5)) * [1, 10, 100, 1, 1]
    detector = CBLOF().fit(X)
    parts = detector.contributions(X)
    assert np.allclose(parts.sum(axis=1), detector.training_scores_)
    assert (parts >= 0).all()
    gaps = (detector._scaling.apply(X)[:, :, None] - detector._centers[None]) ** 2
    one = gaps[np.arange(400), :, np.argmin(np.abs(gaps.sum(1) - detector.training_scores_[:, None] ** 2), 1)]
    assert np.allclose(parts, one / detector.training_scores_[:, None])


def test_many_rows_are_sampled_and_said(monkeypatch):
    X = groups([300, 200], [(0, 0), (10, 0)])
    whole = CBLOF(n_clusters=2).fit(X)
    assert whole.notes_ == ()
    monkeypatch.setattr(module, "AUTO_ROWS", 100)
    sampled = CBLOF(n_clusters=2).fit(X)
    assert "sample of 100 of the 500" in sampled.notes_[0]
    assert np.corrcoef(sampled.training_scores_, whole.training_scores_)[0, 1] > 0.9
    assert CBLOF(n_clusters=2, max_samples=1.0).fit(X).notes_ == ()


def test_fewer_different_rows_than_clusters_are_said():
    detector = CBLOF().fit(np.repeat(np.eye(3), 10, axis=0))
    assert "3 clusters instead of 8" in detector.notes_[0]
    assert np.abs(detector.training_scores_).max() < 1e-12


def test_a_column_with_heavy_tails_does_not_decide_alone():
    """In robust units its few far values would take all clusters, and hide the odd row of two groups."""
    rng = np.random.default_rng(0)
    tails = rng.standard_t(1.5, 600)[:, None]
    X = np.concatenate([groups([300, 300], [(0, 0), (10, 10)]), tails], axis=1)
    odd = np.array([[0.0, 10.0, 0.0]])
    standard, robust = (CBLOF(scaling=scaling).fit(X) for scaling in ("standard", "robust"))
    assert CBLOF().params["scaling"] == "standard"
    above = [(c.training_scores_ > c.score(odd)).mean() for c in (standard, robust)]
    assert above[0] < 0.03
    assert above[1] > 2 * above[0]


def test_units_do_not_matter():
    X = np.random.default_rng(0).normal(size=(400, 3))
    one, other = CBLOF().fit(X), CBLOF().fit(X * [1e6, 1, 1e-6] + 5)
    assert np.allclose(one.training_scores_, other.training_scores_, rtol=1e-6)


def test_a_state_without_large_clusters_is_refused():
    state = CBLOF().fit(groups([90, 80], [(0, 0), (10, 0)])).state()
    state["small"] = np.ones_like(state["small"])
    with pytest.raises(BadBundle, match="no large cluster"):
        CBLOF.from_state({}, 0, state)
