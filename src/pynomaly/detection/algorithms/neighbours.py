"""Exact nearest neighbours among fixed points: by a tree in few columns, by inner products in many."""

from functools import partial

import numpy as np

from pynomaly.detection.algorithms import neighbour_kernels as kernels
from pynomaly.detection.algorithms.contract import Matrix, Progress, read_only
from pynomaly.detection.algorithms.kernels import Floats, Ints
from pynomaly.detection.algorithms.threads import run_blocks

QUERIES_AT_ONCE = 1024
TILE_QUERIES, TILE_POINTS = 512, 4096
TREE_COLUMNS = 12
METRICS = {"euclidean": kernels.EUCLIDEAN, "manhattan": kernels.MANHATTAN, "chebyshev": kernels.CHEBYSHEV}


class Tree:
    """A k-d tree (Bentley 1975), with boxes, on points of shape (n, d).

    Time: O(n log n) to build; each query O(log n) in few columns, up to O(n) in many.
    """

    def __init__(self, points: Matrix, metric: str, p: float) -> None:
        """Build the tree."""
        self._metric, self._p = METRICS.get(metric, kernels.MINKOWSKI), p
        columns = np.array(points.T, order="C")
        self.order, self._nodes, self._boxes = kernels.build_tree(columns)
        self._columns = np.ascontiguousarray(columns[:, self.order])

    def query(self, queries: Floats, distances: Floats, indices: Ints, progress: Progress | None) -> None:
        """Fill distances and row numbers, (m, k)."""
        fixed = (self._columns, self.order, self._nodes, self._boxes, self._metric, self._p)

        def work(begin: int, end: int) -> None:
            kernels.find_neighbours(queries, *fixed, distances, indices, begin, end)

        run_blocks(work, len(queries), QUERIES_AT_ONCE, progress)


class Products:
    """All Euclidean distances by tiles of inner products (BLAS), the near ones measured exactly.

    Time: O(n) for each query, but several times faster than a tree in many columns.
    """

    def __init__(self, points: Matrix) -> None:
        """Keep the points."""
        self._points = np.array(points, order="C")
        self._norms = np.einsum("ij,ij->i", points, points)
        self.order: Ints = np.arange(len(points))

    def query(self, queries: Floats, distances: Floats, indices: Ints, progress: Progress | None) -> None:
        """Fill distances and row numbers, (m, k)."""
        tile = np.empty(min(len(queries), TILE_QUERIES) * min(len(self._points), TILE_POINTS))
        for begin in range(0, len(queries), TILE_QUERIES):
            part = slice(begin, begin + TILE_QUERIES)
            self._query(queries[part], distances[part], indices[part], tile)
            if progress:
                progress(min(1.0, (begin + TILE_QUERIES) / len(queries)))

    def _query(self, queries: Floats, distances: Floats, indices: Ints, tile: Floats) -> None:
        m, k = distances.shape
        near, which = np.full((m, k + 1), np.inf), np.full((m, k + 1), -1)
        norms = np.einsum("ij,ij->i", queries, queries)
        for first in range(0, len(self._points), TILE_POINTS):
            points = self._points[first : first + TILE_POINTS]
            products = np.matmul(queries, points.T, out=tile[: m * len(points)].reshape(m, -1))
            fixed = (points, products, norms, self._norms[first : first + TILE_POINTS], first)

            run_blocks(partial(kernels.merge_products, queries, *fixed, near, which), m, max(1, -(-m // 8)))
        kernels.finish_heaps(near, which, distances, indices, 0, m)


class Neighbours:
    """The rows of `points`, float64, shape (n, d), finite, to be found by nearness; nothing is approximated.

    `metric` is euclidean, manhattan, chebyshev, or minkowski with power `p`. `order` orders the points so
    that neighbours come near each other: queries in it are faster.
    """

    def __init__(self, points: Matrix, metric: str = "euclidean", p: float = 2.0) -> None:
        """Build what the search needs."""
        if metric == "minkowski":
            metric = {1.0: "manhattan", 2.0: "euclidean"}.get(p, metric)
        few = points.shape[1] <= TREE_COLUMNS
        self._search = Tree(points, metric, float(p)) if few or metric != "euclidean" else Products(points)
        self.order: Ints = self._search.order

    def query(self, queries: Matrix, k: int, progress: Progress | None = None) -> tuple[Floats, Ints]:
        """Find the `k` nearest points (fewer than all) of each query: distances, row numbers; both (m, k).

        A query that equals a point leaves one copy of it out, so that a training row is not its own
        neighbour. The answer depends on the query alone; equal distances are settled the same way each time.
        """
        distances, indices = np.empty((len(queries), k)), np.empty((len(queries), k), np.int64)
        self._search.query(read_only(np.ascontiguousarray(queries)), distances, indices, progress)
        return distances, indices


def gap_shares(gaps: Matrix, metric: str, p: float) -> Matrix:
    """Say which share of each distance is each column's, shape (..., d); equal rows have none.

    `gaps` are the columns' absolute differences, shape (..., d).
    """
    largest = gaps.max(axis=-1, keepdims=True)
    relative = gaps / np.where(largest > 0, largest, 1)
    if metric == "chebyshev":
        powers = (relative == 1).astype(np.float64)
    else:
        powers = relative ** {"manhattan": 1.0, "euclidean": 2.0}.get(metric, p)
    total = powers.sum(axis=-1, keepdims=True)
    shares: Matrix = powers / np.where(total > 0, total, 1)
    return shares
