"""Exact nearest neighbours among fixed points."""

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import neighbour_kernels as kernels
from pynomaly.detection.algorithms.contract import Matrix, Progress, read_only
from pynomaly.detection.algorithms.threads import run_blocks

QUERIES_AT_ONCE = 1024
METRICS = {"euclidean": kernels.EUCLIDEAN, "manhattan": kernels.MANHATTAN, "chebyshev": kernels.CHEBYSHEV}


class Neighbours:
    """A k-d tree (Bentley 1975) on the rows of `points`, float64, shape (n, d), finite.

    `metric` is euclidean, manhattan, chebyshev, or minkowski with power `p`. Time: O(n log n) to build;
    each query O(log n) in few columns, up to O(n) in many. Nothing is approximated.
    """

    def __init__(self, points: Matrix, metric: str = "euclidean", p: float = 2.0) -> None:
        """Build the tree."""
        if metric == "minkowski":
            metric = {1.0: "manhattan", 2.0: "euclidean"}.get(p, metric)
        self._metric, self._p = METRICS.get(metric, kernels.MINKOWSKI), float(p)
        columns = np.ascontiguousarray(points.T)
        self.order, self._nodes, self._boxes = kernels.build_tree(columns)
        self._columns = np.ascontiguousarray(columns[:, self.order])

    def query(
        self, queries: Matrix, k: int, progress: Progress | None = None
    ) -> tuple[Matrix, NDArray[np.int64]]:
        """Find the `k` nearest points (fewer than all) of each query: distances, row numbers; both (m, k).

        A query that equals a point leaves one copy of it out, so that a training row is not its own
        neighbour. The answer depends on the query alone; equal distances are settled by the tree.
        """
        distances = np.empty((len(queries), k))
        indices = np.empty((len(queries), k), np.int64)
        fixed = (self._columns, self.order, self._nodes, self._boxes, self._metric, self._p)
        queries = read_only(np.ascontiguousarray(queries))

        def work(begin: int, end: int) -> None:
            kernels.find_neighbours(queries, *fixed, distances, indices, begin, end)

        run_blocks(work, len(queries), QUERIES_AT_ONCE, progress)
        return distances, indices
