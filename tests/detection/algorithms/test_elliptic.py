"""The elliptic envelope: the order of scikit-learn's scores, exact shares, a ridge where needed."""

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.covariance import EllipticEnvelope as Peer

from pynomaly.detection.algorithms import elliptic as module
from pynomaly.detection.algorithms.elliptic import EllipticEnvelope
from pynomaly.detection.evaluate import auc_roc

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 5)) @ RNG.normal(size=(5, 5)) * [1, 10, 100, 1, 1]
NEW = RNG.normal(size=(100, 5)) * 30


@pytest.mark.parametrize("scaling", ["robust", "standard", "none"])
@pytest.mark.parametrize("params", [{}, {"support_fraction": 0.9}, {"assume_centered": True}])
def test_without_ridge_is_equal_to_scikit_learn(params, scaling):
    given = {"support_fraction": 0.75} | params
    ours = EllipticEnvelope(seed=3, scaling=scaling, ridge=0.0, **params).fit(X)
    peer = Peer(random_state=3, **given).fit(ours._scaling.apply(X))
    for rows in (X, NEW):
        expected = -peer.score_samples(ours._scaling.apply(rows))
        assert np.corrcoef(np.log(ours.score(rows)), np.log(expected))[0, 1] > 0.999
        assert np.median(ours.score(rows) / expected) == pytest.approx(1, abs=0.03)
    assert ours.notes_ == ()


def test_scores_of_normal_rows_are_chi_squared():
    rows = np.random.default_rng(1).normal(size=(8000, 4)) @ RNG.normal(size=(4, 4))
    for ridge in (0.0, 0.25):
        scores = EllipticEnvelope(ridge=ridge).fit(rows).training_scores_
        for share in (0.25, 0.5, 0.9, 0.99):
            assert np.quantile(scores, share) == pytest.approx(chi2.ppf(share, 4), rel=0.1)


def test_anomalies_that_break_a_correlation_are_found_in_spite_of_the_ridge():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(4000, 20)) @ (rng.normal(size=(20, 20)) / 4)
    labels = np.zeros(4000)
    labels[:120] = 1
    for j in (2, 5, 9):
        rows[:120, j] = rng.permutation(rows[120:, j])[:120]
    with_ridge = auc_roc(labels, EllipticEnvelope().fit(rows).training_scores_)
    peer = auc_roc(labels, -Peer(random_state=0).fit(rows).score_samples(rows))
    assert with_ridge > peer - 0.01
    assert peer > 0.9


@pytest.mark.parametrize("share", [0.05, 0.15, 0.25])
def test_a_column_that_varies_in_few_rows_does_not_drown_the_rest(share):
    """Such as the indicator of a missing value: usual for that share of the rows, no sign of an anomaly."""
    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(size=(2000, 4)), rng.random(2000) < share]).astype(float)
    labels = np.zeros(2000)
    labels[:40] = 1
    rows[:40, 1] += 6
    envelope = EllipticEnvelope().fit(rows)
    assert auc_roc(labels, envelope.training_scores_) > 0.97
    seldom, usual = envelope.score(np.array([[0, 0, 0, 0, 1.0], [0, 0, 0, 0, 0]]))
    assert seldom > usual + 1


def test_one_wild_value_does_not_blind_its_column():
    rows = np.random.default_rng(4).normal(size=(500, 3))
    rows[0, 1] = -1e7
    ours = EllipticEnvelope().fit(rows)
    assert ours.score(np.array([[0, 8.0, 0]]))[0] > 20
    assert ours.contributions(np.array([[0, 8.0, 0]]))[0].argmax() == 1


def test_units_do_not_matter():
    one, other = EllipticEnvelope().fit(X), EllipticEnvelope().fit(X * [1e6, 1, 1e-6, 3, 7] + 5)
    assert np.allclose(one.training_scores_, other.training_scores_, rtol=1e-3)
    unscaled = EllipticEnvelope(scaling="none").fit(X)
    assert np.allclose(one.training_scores_, unscaled.training_scores_, rtol=1e-6)


def test_contributions_are_exact():
    ours = EllipticEnvelope().fit(X)
    assert np.allclose(ours.contributions(NEW).sum(axis=1), ours.score(NEW), rtol=1e-12)
    gap = ours._scaling.apply(NEW) - ours._location
    assert np.allclose(ours.contributions(NEW), gap * (gap @ ours._precision), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("ridge", [0.0, 0.25])
def test_rows_that_leave_the_plane_of_the_rest_score_highest(ridge):
    flat = np.column_stack([X, X[:, 0] - 2 * X[:, 1]])
    ours = EllipticEnvelope(ridge=ridge).fit(flat)
    assert [("singular" in note) for note in ours.notes_] == ([True] if ridge == 0 else [])
    off = flat[:1] + np.array([0, 0, 0, 0, 0, 50.0])
    assert ours.score(off)[0] > ours.training_scores_.max()
    assert ours.contributions(off)[0].argmax() == 5


@pytest.mark.parametrize("shape", [(300, 60), (100, 60)])
def test_many_columns_have_fixed_starts_and_it_is_said(shape):
    wide = np.random.default_rng(5).normal(size=shape)
    wide[:3, 7] += 15
    ours = EllipticEnvelope().fit(wide)
    assert "more than 40 columns" in ours.notes_[0]
    assert set(np.argsort(-ours.training_scores_)[:3]) == {0, 1, 2}
    assert (ours.contributions(wide[:3]).argmax(axis=1) == 7).all()


def test_more_columns_than_rows_still_name_the_column():
    wide = np.random.default_rng(5).normal(size=(60, 160))
    wide[:3, 7] += 15
    ours = EllipticEnvelope().fit(wide)
    assert (ours.contributions(wide[:3]).argmax(axis=1) == 7).all()


def test_rows_that_leave_a_bulk_of_equal_rows_score_highest():
    rows = np.zeros((100, 2))
    rows[:5] = np.random.default_rng(0).normal(size=(5, 2))
    for support in ("auto", 0.5):
        ours = EllipticEnvelope(support_fraction=support).fit(rows)
        assert ours.training_scores_[:5].min() > ours.training_scores_[5:].max()


@pytest.mark.parametrize("asked", ["auto", 400, 2 / 3])
def test_many_rows_are_sampled_and_said(monkeypatch, asked):
    monkeypatch.setattr(module, "AUTO_ROWS", 400)
    ours = EllipticEnvelope(max_samples=asked).fit(X)
    assert "sample of 400 of the 600" in ours.notes_[0]
    assert len(ours.training_scores_) == 600
    whole = np.log(EllipticEnvelope().fit(X[:400]).score(X))
    assert np.corrcoef(np.log(ours.training_scores_), whole)[0, 1] > 0.95


def test_all_rows_are_used_when_asked_for(monkeypatch):
    whole = EllipticEnvelope().fit(X)
    monkeypatch.setattr(module, "AUTO_ROWS", 400)
    ours = EllipticEnvelope(max_samples=1.0).fit(X)
    assert np.array_equal(ours.training_scores_, whole.training_scores_)
    assert ours.notes_ == ()
