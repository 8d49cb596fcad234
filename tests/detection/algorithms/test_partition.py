"""The k-d tree: balanced leaves, cuts that part them, homes and cells that are those of the points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.detection.algorithms import partition_kernels as kernels

RNG = np.random.default_rng(0)
TABLES = {
    "normal": RNG.normal(size=(3, 1000)) * [[1], [50], [0.01]],
    "few values": RNG.integers(0, 3, (4, 500)).astype(float),
    "all equal": np.ones((2, 100)),
    "one column": RNG.normal(size=(1, 64)),
    "largest": RNG.choice([-1e150, 1.0, 1e150], (2, 70)),
}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=60), st.data())
def test_select_puts_the_middle_where_sorting_would(values, data):
    column = np.array(values, float)
    rows = np.array(data.draw(st.permutations(range(len(values)))))
    middle = data.draw(st.integers(0, len(values) - 1))
    kernels.select(column, rows, middle)
    assert sorted(rows) == list(range(len(values)))
    assert column[rows[middle]] == np.sort(column)[middle]
    assert (column[rows[:middle]] <= column[rows[middle]]).all()
    assert (column[rows[middle:]] >= column[rows[middle]]).all()


def test_the_widest_column_is_the_one_that_varies_most():
    columns = RNG.normal(size=(4, 5000)) * [[1], [3], [2], [0]] + [[1e6], [0], [-1e3], [9]]
    assert kernels.widest(columns, np.arange(5000)) == 1
    assert kernels.widest(columns[[0, 3]], np.arange(5000)) == 0
    few = np.flatnonzero(np.abs(columns[1]) < 0.1)
    assert kernels.widest(columns, few) == 2


def below(node, depth):
    """Number the leaves below a node: from, to."""
    first, last = node, node
    while first < (1 << depth) - 1:
        first, last = 2 * first + 1, 2 * last + 2
    return first - (1 << depth) + 1, last - (1 << depth) + 2


@pytest.mark.parametrize("depth", [0, 1, 3, 5])
@pytest.mark.parametrize("name", TABLES)
def test_leaves_are_balanced_and_parted_by_their_cuts(name, depth):
    columns = TABLES[name]
    rows, cuts, values, starts = kernels.build_tree(columns, depth)
    assert sorted(rows) == list(range(columns.shape[1]))
    assert (starts[0], starts[-1]) == (0, columns.shape[1])
    sizes = np.diff(starts)
    assert len(sizes) == 1 << depth
    assert sizes.max() - sizes.min() <= 1
    for node in range((1 << depth) - 1):
        left, right = (below(child, depth) for child in (2 * node + 1, 2 * node + 2))
        smaller, larger = (columns[cuts[node], rows[starts[a] : starts[b]]] for a, b in (left, right))
        assert smaller.max() <= values[node] == larger.min()


def test_the_home_of_a_point_is_its_leaf():
    columns = TABLES["normal"]
    rows, cuts, values, starts = kernels.build_tree(columns, 4)
    homes = np.full(1000, -1)
    kernels.find_homes(np.ascontiguousarray(columns.T[rows]), cuts, values, homes, 100, 900)
    leaves = np.repeat(np.arange(16), np.diff(starts))
    assert (homes[100:900] == leaves[100:900]).all()
    assert (homes[:100] == -1).all()
    assert (homes[900:] == -1).all()


@pytest.mark.parametrize("name", TABLES)
def test_cells_hold_each_leafs_points_relative_to_the_middle_of_its_box(name):
    columns = TABLES[name]
    rows, _, _, starts = kernels.build_tree(columns, 3)
    points = np.ascontiguousarray(columns.T[rows])
    d, width = len(columns), int(np.diff(starts).max()) + 3
    cells, norms = np.zeros((8, d, width), np.float32), np.empty((8, width), np.float32)
    centers, lows, highs = np.empty((8, d)), np.empty((d, 8)), np.empty((d, 8))
    kernels.fill_cells(points, starts, cells, norms, centers, lows, highs, 0, 8)
    for leaf in range(8):
        inside = points[starts[leaf] : starts[leaf + 1]]
        size = len(inside)
        assert np.array_equal(lows[:, leaf], inside.min(axis=0))
        assert np.array_equal(highs[:, leaf], inside.max(axis=0))
        assert np.allclose(centers[leaf], (lows[:, leaf] + highs[:, leaf]) / 2, rtol=1e-12)
        offsets = np.clip(inside - centers[leaf], -kernels.PADDING, kernels.PADDING)
        assert np.allclose(cells[leaf, :, :size], offsets.T, rtol=1e-6, atol=1e-30)
        assert np.allclose(norms[leaf, :size], (offsets**2).sum(axis=1), rtol=1e-5, atol=1e-30)
        assert not cells[leaf, :, size:].any()
        assert (norms[leaf, size:] == np.float32(kernels.PADDING)).all()
