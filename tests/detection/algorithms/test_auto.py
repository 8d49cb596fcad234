"""The automatic detector: what it finds on each kind of table, what it says, how it deals with many rows."""

import numpy as np
import pytest

from pynomaly.detection.algorithms import auto
from pynomaly.detection.catalogue import create
from pynomaly.detection.evaluate import auc_roc
from pynomaly.errors import BadBundle


def normal(n=1200, d=6, seed=0):
    """Two correlated clusters, one column with a heavy tail."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ np.triu(np.full((d, d), 0.6))
    X[: n // 3] += 6
    X[:, 0] = np.exp(X[:, 0] / 4)
    return X


def with_anomalies(kind, seed=1):
    rng, X = np.random.default_rng(seed), normal()
    if kind == "scattered":
        odd = rng.uniform(-25, 25, size=(40, 6))
    elif kind == "clump":
        odd = np.repeat(rng.normal(size=(4, 6)) * 0.1 + [4, -14, 0, 14, 0, 14], 15, axis=0)
    elif kind == "against the correlation":
        odd = np.median(X[:400], axis=0) * np.array([1, 1, 1, 1, -2, 1]) + rng.normal(size=(30, 6)) * 0.3
    else:
        odd = X[rng.choice(len(X), 40)].copy()
        odd[np.arange(40), rng.integers(1, 6, 40)] += rng.choice([-25, 25], 40)
    return np.concatenate([X, odd]), np.repeat([0, 1], [len(X), len(odd)])


@pytest.mark.parametrize(
    ("kind", "least"),
    [("scattered", 0.98), ("clump", 0.98), ("one column", 0.96), ("against the correlation", 0.95)],
)
def test_finds_anomalies_in_the_rows_it_learns_from(kind, least):
    X, y = with_anomalies(kind)
    assert auc_roc(y, create("auto").fit(X).training_scores_) > least


@pytest.mark.parametrize("kind", ["scattered", "clump", "one column", "against the correlation"])
def test_finds_more_when_it_is_told_that_training_rows_are_normal(kind):
    X, y = with_anomalies(kind)
    trained = create("auto", {"clean_training": True}).fit(normal(seed=7))
    assert auc_roc(y, trained.score(X)) > 0.98


def test_small_gaps_in_clean_data_show():
    rng = np.random.default_rng(3)
    angle = rng.uniform(0, 2 * np.pi, 1500)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(size=(1500, 2)) * 0.03
    clean = create("auto", {"clean_training": True}).fit(ring)
    inside = np.array([[0.0, 0.0], [0.3, -0.2]])
    assert (clean.score(inside) > clean.training_scores_.max()).all()


def test_says_what_was_run_and_why():
    [mixed] = create("auto").fit(normal(200)).notes_
    [clean] = create("auto", {"clean_training": True}).fit(normal(200)).notes_
    assert "the training rows may hold anomalies (clean_training is false)" in mixed
    assert "are said to hold no anomalies (clean_training is true)" in clean


@pytest.mark.parametrize("clean", [False, True])
def test_a_mixture_of_very_many_columns_is_left_out_and_it_is_said(clean):
    X = np.random.default_rng(0).normal(size=(150, 101))
    X[3] += 3
    wide = create("auto", {"clean_training": clean}).fit(X)
    assert wide.notes_[-1] == "auto left out gmm, since there are more than 100 columns."
    assert wide.training_scores_.argmax() == 3
    again = type(wide).from_state(wide.params, 0, wide.state())
    assert np.array_equal(again.score(X), wide.training_scores_)
    assert len(create("auto").fit(X[:, :100]).notes_) == 1


def test_learns_from_a_sample_of_many_rows_and_scores_all(monkeypatch):
    monkeypatch.setattr(auto, "LOOKED_AT", 500)
    monkeypatch.setattr(auto, "SCORED_AT_ONCE", 300)
    X, y = with_anomalies("scattered")
    shares = []
    trained = create("auto").fit(X, shares.append)
    assert trained.notes_[-1] == "auto learned from a random sample of 500 of the 1,240 rows."
    assert np.array_equal(trained.training_scores_, trained.score(X))
    assert auc_roc(y, trained.training_scores_) > 0.98
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_another_seed_looks_at_other_rows_and_finds_the_same():
    X, y = with_anomalies("one column")
    one, other = (create("auto", seed=seed).fit(X).training_scores_ for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert abs(auc_roc(y, one) - auc_roc(y, other)) < 0.02


def test_a_model_of_the_other_kind_is_refused():
    mixed, clean = (create("auto", {"clean_training": flag}).fit(normal(100)) for flag in (False, True))
    with pytest.raises(BadBundle):
        type(clean).from_state(clean.params, 0, {**mixed.state()})
    with pytest.raises(BadBundle):
        type(mixed).from_state(mixed.params, 0, {**clean.state()})
