"""The neighbour search: exact, whatever the points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from pynomaly.detection.algorithms.neighbours import Neighbours

METRICS = {
    "euclidean": {"metric": "euclidean"},
    "manhattan": {"metric": "cityblock"},
    "chebyshev": {"metric": "chebyshev"},
    "minkowski": {"metric": "minkowski", "p": 3.0},
}


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(2, 300), d=st.integers(1, 14), k=st.integers(1, 40),
    levels=st.sampled_from([2, 5, 0]), metric=st.sampled_from(sorted(METRICS)),
)  # fmt: skip
def test_distances_are_exact(seed, n, d, k, levels, metric):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, levels, (n, d)).astype(float) if levels else rng.normal(size=(n, d))
    queries = np.concatenate([points[:20], rng.normal(size=(20, d)) * 2])
    k = min(k, n - 1)
    distances, indices = Neighbours(points, metric, 3.0).query(queries, k)
    every = cdist(queries, points, **METRICS[metric])
    expected = np.sort(every, axis=1)
    skip = (expected[:, 0] == 0).astype(int)  # one copy of the query itself is left out
    wanted = expected[np.arange(len(queries))[:, None], skip[:, None] + np.arange(k)]
    assert np.allclose(distances, wanted, rtol=1e-12, atol=1e-12)
    assert np.allclose(np.take_along_axis(every, indices, axis=1), distances, rtol=1e-12)
    assert all(len(set(row)) == k for row in indices)


@pytest.mark.parametrize(("p", "same"), [(1.0, "manhattan"), (2.0, "euclidean")])
def test_minkowski_covers_the_plain_metrics(p, same):
    points = np.random.default_rng(0).normal(size=(200, 3))
    ours, plain = (
        Neighbours(points, "minkowski", p).query(points, 5),
        Neighbours(points, same).query(points, 5),
    )
    assert np.array_equal(ours[0], plain[0])
    assert np.array_equal(ours[1], plain[1])


def test_finds_across_many_leaves():
    points = np.random.default_rng(1).normal(size=(20_000, 3))
    distances, indices = Neighbours(points).query(points[:50], 10)
    every = cdist(points[:50], points)
    assert np.array_equal(indices, np.argsort(every, axis=1, kind="stable")[:, 1:11])
    assert np.allclose(distances, np.sort(every, axis=1)[:, 1:11], rtol=1e-12)


@pytest.mark.parametrize("metric", sorted(METRICS))
@pytest.mark.parametrize("d", [3, 30])
def test_an_answer_depends_on_the_query_alone(d, metric):
    """Offset points, duplicates and a far one: the order of looking must not show, down to the bits."""
    rng = np.random.default_rng(2)
    points = rng.normal(size=(3000, d)) + 1000
    points[::5] = points[0]
    points[7] += 1e9
    queries = np.concatenate([points[:40], rng.normal(size=(30, d)), points[7:8] - 3])
    search = Neighbours(points, metric, 3.0)
    distances, indices = search.query(queries, 12)
    for i in range(len(queries)):
        one = search.query(queries[i : i + 1], 12)
        assert np.array_equal(one[0][0], distances[i])
        assert np.array_equal(one[1][0], indices[i])
    turn = rng.permutation(len(queries))
    assert np.array_equal(search.query(queries[turn], 12)[1], indices[turn])


def test_is_exact_where_single_precision_ends():
    """Spread over 1e90, over 1e-30, and both at once; squares overflow or vanish in single precision."""
    rng = np.random.default_rng(3)
    for scale in (1e90, 1e-19, 1e-20, 1e-21, 1e-30, 10.0 ** rng.integers(-40, 40, (400, 1))):
        points = rng.normal(size=(400, 4)) * scale
        distances, indices = Neighbours(points).query(points, 6)
        every = cdist(points, points)
        assert np.allclose(distances, np.sort(every, axis=1)[:, 1:7], rtol=1e-12, atol=0)
        assert np.allclose(np.take_along_axis(every, indices, axis=1), distances, rtol=1e-12, atol=0)


def test_many_copies_are_quick():
    points = np.zeros((60_000, 3))
    distances, indices = Neighbours(points).query(points, 5)
    assert not distances.any()
    assert len(np.unique(indices)) <= 6  # of equals, the same ones are found by all


def test_large_powers_neither_overflow_nor_vanish():
    points = np.random.default_rng(4).normal(size=(500, 3)) * 1e5
    distances, _ = Neighbours(points, "minkowski", 100.0).query(points, 4)
    every = np.abs(points[:, None] - points).max(axis=2)
    assert (distances >= np.sort(every, axis=1)[:, 1:5]).all()
    assert (distances <= 3 ** (1 / 100) * np.sort(every, axis=1)[:, 1:5] * (1 + 1e-12)).all()
