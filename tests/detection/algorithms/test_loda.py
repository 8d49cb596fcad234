"""LODA: equal to its formula with numpy's histograms, columns used evenly, the paper's reasons."""

import numpy as np
import pytest

from pynomaly.detection.algorithms import loda as module
from pynomaly.detection.algorithms.loda import LODA, _draw_columns

RNG = np.random.default_rng(6)
X = RNG.normal(size=(500, 6)) @ RNG.normal(size=(6, 6))
NEW = RNG.normal(size=(60, 6)) * 8


def terms(loda, train, rows, bins):
    """Give -log of how full each row's bin is, smoothed, over an even spread, for each direction."""
    train, rows = loda._scaling.apply(train), loda._scaling.apply(rows)
    out = np.empty((len(rows), len(loda._columns)))
    for t, (columns, weights) in enumerate(zip(loda._columns, loda._weights, strict=True)):
        places, where = train[:, columns] @ weights, rows[:, columns] @ weights
        counts, edges = np.histogram(places, bins)
        step = (where - edges[0]) / (edges[-1] - edges[0]) * bins
        inside = (where >= edges[0]) & (where <= edges[-1])
        found = counts[np.clip(step.astype(int), 0, bins - 1)] + 1.0
        out[:, t] = -np.log(np.where(inside, found, 0.5) / (len(train) + bins) * bins)
    return out


@pytest.mark.parametrize(("params", "bins"), [({}, 16), ({"n_bins": 9, "n_directions": 31}, 9)])
def test_is_the_mean_of_the_terms(params, bins):
    loda = LODA(seed=2, **params).fit(X)
    assert np.allclose(loda.score(NEW), terms(loda, X, NEW, bins).mean(axis=1), rtol=1e-9)
    assert np.allclose(loda.training_scores_, terms(loda, X, X, bins).mean(axis=1), atol=0.05)


def test_contributions_compare_directions_with_and_without_the_column():
    loda = LODA(seed=2).fit(X)
    parts = terms(loda, X, NEW, 16)
    for j in range(6):
        uses = (loda._columns == j).any(axis=1)
        expected = parts[:, uses].mean(axis=1) - parts[:, ~uses].mean(axis=1)
        assert np.allclose(loda.contributions(NEW)[:, j], expected)


@pytest.mark.parametrize("d", [1, 2, 3, 10, 50])
def test_all_columns_are_used_about_equally_often(d):
    columns = _draw_columns(200, d, np.random.default_rng(0))
    size = max(1, round(d**0.5))
    assert columns.shape == (200, size)
    assert all(len(set(row)) == size for row in columns)
    used = np.bincount(columns.ravel(), minlength=d)
    assert used.max() - used.min() <= 2 * (200 * size / d) ** 0.5 + 1


def test_one_column_explains_itself():
    loda = LODA().fit(X[:, :1])
    assert np.allclose(loda.contributions(NEW[:, :1])[:, 0], loda.score(NEW[:, :1]))


@pytest.mark.parametrize("asked", ["auto", 250, 0.5])
def test_many_rows_are_sampled_and_said(monkeypatch, asked):
    monkeypatch.setattr(module, "AUTO_ROWS", 250)
    loda = LODA(max_samples=asked).fit(X)
    assert "sample of 250 of the 500" in loda.notes_[0]
    assert len(loda.training_scores_) == 500
    assert np.corrcoef(loda.training_scores_, LODA().fit(X).training_scores_)[0, 1] > 0.9
