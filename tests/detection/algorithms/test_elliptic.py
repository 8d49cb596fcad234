"""The elliptic envelope: equal to scikit-learn's, with exact shares and stated fallbacks."""

import numpy as np
import pytest
from sklearn.covariance import EllipticEnvelope as Peer

from pynomaly.detection.algorithms import elliptic as module
from pynomaly.detection.algorithms.elliptic import EllipticEnvelope

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 5)) @ RNG.normal(size=(5, 5)) * [1, 10, 100, 1, 1]
NEW = RNG.normal(size=(100, 5)) * 30


@pytest.mark.parametrize("scaling", ["robust", "standard", "none"])
@pytest.mark.parametrize("params", [{}, {"support_fraction": 0.9}, {"assume_centered": True}])
def test_is_equal_to_scikit_learn(params, scaling):
    ours = EllipticEnvelope(seed=3, scaling=scaling, **params).fit(X)
    peer = Peer(random_state=3, **params).fit(ours._scaling.apply(X))
    for rows in (X, NEW):
        assert np.allclose(ours.score(rows), -peer.score_samples(ours._scaling.apply(rows)), rtol=1e-8)
    assert ours.notes_ == ()


def test_all_rows_are_used_when_asked_for(monkeypatch):
    monkeypatch.setattr(module, "AUTO_ROWS", 400)
    ours = EllipticEnvelope(max_samples=1.0, seed=3, scaling="none").fit(X)
    assert np.allclose(ours.score(NEW), -Peer(random_state=3).fit(X).score_samples(NEW), rtol=1e-8)
    assert ours.notes_ == ()


def test_units_do_not_matter():
    one, other = EllipticEnvelope().fit(X), EllipticEnvelope().fit(X * [1e6, 1, 1e-6, 3, 7] + 5)
    assert np.allclose(one.training_scores_, other.training_scores_, rtol=1e-3)


def test_contributions_are_exact():
    ours = EllipticEnvelope().fit(X)
    assert np.allclose(ours.contributions(NEW).sum(axis=1), ours.score(NEW), rtol=1e-12)
    gap = ours._scaling.apply(NEW) - ours._location
    assert np.allclose(ours.contributions(NEW), gap * (gap @ ours._precision), rtol=1e-8, atol=1e-8)


def test_rows_that_leave_the_plane_of_the_rest_score_highest():
    flat = np.column_stack([X, X[:, 0] - 2 * X[:, 1]])
    ours = EllipticEnvelope().fit(flat)
    assert "singular" in ours.notes_[0]
    off = flat[:1] + np.array([0, 0, 0, 0, 0, 50.0])
    assert ours.score(off)[0] > 10 * np.median(ours.training_scores_)
    assert ours.contributions(off)[0].argmax() == 5


def test_many_columns_are_shrunk_and_said():
    wide = RNG.normal(size=(300, 160))
    wide[:3, 7] += 15
    ours = EllipticEnvelope().fit(wide)
    assert "more than 150 columns" in ours.notes_[0]
    assert set(np.argsort(-ours.training_scores_)[:3]) == {0, 1, 2}
    assert (ours.contributions(wide[:3]).argmax(axis=1) == 7).all()


def test_a_bulk_of_equal_rows_is_shrunk_and_said():
    rows = np.zeros((100, 2))
    rows[:5] = np.random.default_rng(0).normal(size=(5, 2))
    ours = EllipticEnvelope(support_fraction=0.5).fit(rows)
    assert "No least determinant" in ours.notes_[0]
    assert ours.training_scores_[:5].min() > ours.training_scores_[5:].max()


@pytest.mark.parametrize("asked", ["auto", 400, 2 / 3])
def test_many_rows_are_sampled_and_said(monkeypatch, asked):
    monkeypatch.setattr(module, "AUTO_ROWS", 400)
    ours = EllipticEnvelope(max_samples=asked).fit(X)
    assert "sample of 400 of the 600" in ours.notes_[0]
    assert len(ours.training_scores_) == 600
    whole = np.log(EllipticEnvelope().fit(X[:400]).score(X))
    assert np.corrcoef(np.log(ours.training_scores_), whole)[0, 1] > 0.95
