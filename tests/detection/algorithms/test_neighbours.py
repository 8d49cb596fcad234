"""The neighbour search: exact, whatever the points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from pynomaly.detection.algorithms.contract import read_only
from pynomaly.detection.algorithms.neighbours import Neighbours, Products, Tree

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


@pytest.mark.parametrize("d", [3, 30])
def test_ways_to_search_agree(d):
    rng = np.random.default_rng(2)
    points = rng.normal(size=(9000, d)) + 1000
    points[::5] = points[0]
    points[7] += 1e9
    queries = np.concatenate([points[:40], rng.normal(size=(30, d))])
    found = []
    for search in (Tree(points, "euclidean", 2.0), Products(points)):
        distances, indices = np.empty((70, 12)), np.empty((70, 12), np.int64)
        search.query(read_only(queries), distances, indices, None)
        found.append((distances, indices))
    assert np.array_equal(found[0][0], found[1][0])
    one = np.empty((1, 12)), np.empty((1, 12), np.int64)
    for i in range(70):
        Products(points).query(read_only(queries[i : i + 1].copy()), *one, None)
        assert np.array_equal(one[0][0], found[1][0][i])
        assert np.array_equal(one[1][0], found[1][1][i])
