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
    seed=st.integers(0, 2**32 - 1), n=st.integers(2, 300), d=st.integers(1, 7), k=st.integers(1, 40),
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
    assert np.allclose(distances, wanted, rtol=1e-12)
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
