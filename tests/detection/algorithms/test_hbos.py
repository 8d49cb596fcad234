"""HBOS: equal to numpy's histograms, exact parts, stated values outside the range."""

import numpy as np
import pytest

from pynomaly.detection.algorithms.hbos import HBOS, OUTSIDE

RNG = np.random.default_rng(1)
X = RNG.normal(size=(1000, 3)) * [1, 1e6, 1e-6] + [5, 0, 1]


def brute(train, rows, bins, smoothing=0.1):
    parts = np.empty(rows.shape)
    for j, column in enumerate(train.T):
        counts, edges = np.histogram(column, bins)
        for i, x in enumerate(rows[:, j]):
            k = min(int((x - edges[0]) / (edges[-1] - edges[0]) * bins), bins - 1)
            inside = edges[0] <= x <= edges[-1]
            height = counts[k] * bins / len(train) + smoothing if inside else OUTSIDE * smoothing
            parts[i, j] = -np.log(height)
    return parts


@pytest.mark.parametrize(("params", "bins"), [({}, 20), ({"n_bins": 7}, 7), ({"smoothing": 0.5}, 20)])
def test_is_the_sum_of_log_heights(params, bins):
    hbos = HBOS(**params).fit(X)
    rows = np.concatenate([X, X[:50] * 3])
    parts = brute(X, rows, bins, params.get("smoothing", 0.1))
    assert np.allclose(hbos.contributions(rows), parts, rtol=1e-12)
    assert np.allclose(hbos.score(rows), parts.sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("d", [1, 700, 3000])
def test_any_number_of_columns_is_taken_together_right(d):
    train = np.random.default_rng(d).normal(size=(61, d)) * np.arange(1, d + 1)
    hbos = HBOS(n_bins=5).fit(train)
    parts = brute(train, train, 5)
    assert np.allclose(hbos.contributions(train), parts, rtol=1e-12)
    assert np.allclose(hbos.training_scores_, parts.sum(axis=1), rtol=1e-12)
    assert np.array_equal(hbos.score(train[60:]), hbos.training_scores_[60:])


def test_values_outside_the_range_count_most():
    hbos = HBOS().fit(X)
    outside = hbos.contributions(X.max(axis=0)[None] * 1.5)
    assert np.allclose(outside, -np.log(OUTSIDE * 0.1))
    assert outside.min() > hbos.contributions(X).max()
    assert np.array_equal(outside, hbos.contributions(X.min(axis=0)[None] - 1e7))


def test_rows_in_a_gap_are_found():
    two = np.concatenate([RNG.normal(size=(500, 1)), RNG.normal(size=(500, 1)) + 20])
    gap, bulk = HBOS().fit(two).score(np.array([[10.0], [20.0]]))
    assert gap == -np.log(0.1)
    assert gap > bulk + 2


def test_a_constant_column_adds_nothing_but_for_other_values():
    rows = np.column_stack([X[:, 0], np.full(1000, 4.0)])
    parts = HBOS().fit(rows).contributions(np.array([[5.0, 4.0], [5.0, 4.1], [5.0, -1e300]]))
    assert np.allclose(parts[:, 1], -np.log([1.1, 0.02, 0.02]))


def test_the_greatest_training_value_lies_in_the_last_bin():
    for seed in range(20):
        train = np.random.default_rng(seed).normal(size=(50, 4)) * 10.0 ** np.arange(-200, 200, 100)
        hbos = HBOS(n_bins=10).fit(train)
        assert (hbos.contributions(train) < -np.log(OUTSIDE * 0.1)).all()


def test_many_blocks_count_as_one(monkeypatch):
    from pynomaly.detection.algorithms import hbos as module

    whole = HBOS().fit(X)
    monkeypatch.setattr(module, "CELLS_AT_ONCE", 64 * X.shape[1])
    monkeypatch.setattr(module, "MAX_BINS", 20)
    assert np.array_equal(HBOS().fit(X).training_scores_, whole.training_scores_)
