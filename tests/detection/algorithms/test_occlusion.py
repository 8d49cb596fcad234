"""Occlusion: exact where columns do not interact, against the nearest normal rows."""

import numpy as np

from pynomaly.detection.algorithms import occlusion
from pynomaly.detection.algorithms.occlusion import (
    COMPARED,
    FAR,
    nearest,
    normal_places,
    normal_rows,
    occlude,
)
from pynomaly.detection.algorithms.threads import limit_threads

RNG = np.random.default_rng(0)


def test_is_exact_for_a_sum():
    weights = np.array([1.0, -2.0, 3.0])
    X, normal = RNG.normal(size=(20, 3)), RNG.normal(size=(50, 3))
    shares = occlude(lambda rows: rows @ weights, X, normal)
    assert np.allclose(shares, (X - normal[nearest(X, normal, COMPARED)].mean(axis=1)) * weights)


def test_adds_up_for_pairs_that_interact():
    X, normal = RNG.normal(size=(20, 2)), RNG.normal(size=(50, 2))
    shares = occlude(lambda rows: rows[:, 0] * rows[:, 1], X, normal)
    others = normal[nearest(X, normal, COMPARED)]
    assert np.allclose(shares.sum(axis=1), X.prod(axis=1) - others.prod(axis=2).mean(axis=1))


def test_blocks_and_threads_do_not_matter(monkeypatch):
    X, normal = RNG.normal(size=(700, 4)), RNG.normal(size=(50, 4))
    whole = occlude(lambda rows: (rows**2).sum(axis=1), X, normal)
    monkeypatch.setattr(occlusion, "CELLS_AT_ONCE", 1)
    limit_threads(1)
    try:
        assert np.array_equal(occlude(lambda rows: (rows**2).sum(axis=1), X, normal), whole)
    finally:
        limit_threads(None)


def test_one_normal_row_is_enough():
    shares = occlude(lambda rows: rows.sum(axis=1), np.array([[3.0, 5.0]]), np.array([[1.0, 1.0]]))
    assert shares.tolist() == [[2.0, 4.0]]


def test_an_odd_normal_row_is_outvoted():
    normal = np.array([[0.0, 0.0], [0.1, 30.0], [0.2, 0.1], [0.2, -0.1]])
    shares = occlude(lambda rows: np.abs(rows).sum(axis=1), np.array([[0.0, 40.0], [0.05, 29.0]]), normal)
    assert shares[0].argmax() == 1
    assert shares[1, 1] > 15


def test_the_nearest_are_those_that_a_full_search_finds():
    X, normal = RNG.normal(size=(40, 5)), RNG.normal(size=(60, 5)).round(1)
    normal[30:] = normal[:30]  # ties: the first wins
    distances = np.minimum(np.abs(X[:, None] - normal), FAR).sum(axis=2)
    expected = np.argsort(distances, axis=1, kind="stable")[:, :4]
    assert np.array_equal(nearest(X, normal, 4), expected)
    assert np.array_equal(nearest(X, normal), expected[:, :1])


def test_a_column_that_is_far_off_does_not_choose_the_normal_row():
    normal = np.array([[0.0, 0.0], [4.0, 9.0]])
    assert nearest(np.array([[1e9, 0.1]]), normal).tolist() == [[0]]


def test_normal_rows_are_those_with_low_scores():
    X = np.arange(8000.0)[:, None]
    chosen = normal_rows(X, X[:, 0], seed=1)
    assert len(chosen) == 2000
    assert chosen.max() <= 6000
    assert np.array_equal(chosen, normal_rows(X, X[:, 0], seed=1))
    assert len(normal_rows(X[:8], X[:8, 0], seed=1)) == 6


def test_places_are_ascending_and_differ_by_seed():
    scores = RNG.normal(size=500)
    places = normal_places(scores, 1, 40)
    assert (np.diff(places) > 0).all()
    assert not np.array_equal(places, normal_places(scores, 2, 40))
