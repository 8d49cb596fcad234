"""Occlusion: exact where columns do not interact."""

import numpy as np

from pynomaly.detection.algorithms import occlusion
from pynomaly.detection.algorithms.occlusion import nearest, normal_rows, occlude

RNG = np.random.default_rng(0)


def test_is_exact_for_a_sum():
    weights = np.array([1.0, -2.0, 3.0])
    X, normal = RNG.normal(size=(20, 3)), RNG.normal(size=(50, 3))
    shares = occlude(lambda rows: rows @ weights, X, normal)
    assert np.allclose(shares, (X - normal[nearest(X, normal)]) * weights)


def test_adds_up_for_pairs_that_interact():
    X, normal = RNG.normal(size=(20, 2)), RNG.normal(size=(50, 2))
    shares = occlude(lambda rows: rows[:, 0] * rows[:, 1], X, normal)
    other = normal[nearest(X, normal)]
    assert np.allclose(shares.sum(axis=1), X.prod(axis=1) - other.prod(axis=1))


def test_blocks_do_not_matter(monkeypatch):
    X, normal = RNG.normal(size=(30, 4)), RNG.normal(size=(50, 4))
    whole = occlude(lambda rows: (rows**2).sum(axis=1), X, normal)
    monkeypatch.setattr(occlusion, "CELLS_AT_ONCE", 1)
    assert np.array_equal(occlude(lambda rows: (rows**2).sum(axis=1), X, normal), whole)


def test_a_column_that_is_far_off_does_not_choose_the_normal_row():
    normal = np.array([[0.0, 0.0], [4.0, 9.0]])
    assert list(nearest(np.array([[1e9, 0.1]]), normal)) == [0]


def test_normal_rows_are_those_with_low_scores():
    X = np.arange(8000.0)[:, None]
    chosen = normal_rows(X, X[:, 0], seed=1)
    assert len(chosen) == 2000
    assert chosen.max() <= 6000
    assert np.array_equal(chosen, normal_rows(X, X[:, 0], seed=1))
    assert len(normal_rows(X[:8], X[:8, 0], seed=1)) == 6
