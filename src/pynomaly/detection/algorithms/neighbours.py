"""Exact nearest neighbours among fixed points."""

from functools import partial

import numpy as np

from pynomaly.detection.algorithms import neighbour_kernels as kernels
from pynomaly.detection.algorithms import partition_kernels as partition
from pynomaly.detection.algorithms.contract import Matrix, Progress, read_only
from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Singles
from pynomaly.detection.algorithms.threads import run_blocks

QUERIES_AT_ONCE = 1024
LEAVES_AT_ONCE = 64
WIDTH_STEP, COLUMN_STEP = 32, 5
"""Cells are filled up to multiples of the steps."""

FEW_COLUMNS, SOME_COLUMNS, CACHED_COORDINATES = 5, 20, 1 << 18

EUCLID_UNTIL = 4.0
"""Up to this power, a Minkowski distance is bounded by the Euclidean one; beyond, by the largest gap."""

METRICS = {
    "euclidean": kernels.EUCLIDEAN,
    "manhattan": kernels.MANHATTAN,
    "chebyshev": kernels.CHEBYSHEV,
    "minkowski": kernels.MINKOWSKI,
}


class Neighbours:
    """The rows of `points`, float64, shape (n, d), finite, to be found by nearness; nothing is approximated.

    `metric` is euclidean, manhattan, chebyshev, or minkowski with power `p`.

    Time: O(n log n) to build; each query O(log n) in few columns, up to O(n) in many.
    """

    def __init__(self, points: Matrix, metric: str = "euclidean", p: float = 2.0) -> None:
        """Build the tree."""
        metric = plain_metric(metric, p)
        n, d = points.shape
        self._depth = max(0, int(np.ceil(np.log2(n / _leaf_size(n, d)))))
        columns = np.array(points.T, order="C")
        order, self._cuts, self._values, begins = partition.build_tree(columns, self._depth)
        points = np.ascontiguousarray(points[order])
        self._rule = _rule(metric, float(p), d)
        self._space = (points, order, begins, *_cells(points, begins, self._rule[2]))

    def query(self, queries: Matrix, k: int, progress: Progress | None = None) -> tuple[Floats, Codes]:
        """Find the `k` nearest points (fewer than all) of each query: distances, row numbers; both (m, k).

        A query that equals a point leaves one copy of it out, so that a training row is not its own
        neighbour. The answer depends on the query alone; equal distances are settled the same way each time.
        """
        queries = read_only(np.ascontiguousarray(queries))
        distances, indices = np.empty((len(queries), k)), np.empty((len(queries), k), np.int32)
        homes = np.empty(len(queries), np.int64)
        partition.find_homes(queries, self._cuts, self._values, homes, 0, len(queries))
        turns = np.argsort(homes, kind="stable")
        fixed = (queries, turns, homes, self._span(k), self._space, self._rule, distances, indices)
        run_blocks(partial(kernels.find_neighbours, *fixed), len(queries), QUERIES_AT_ONCE, progress)
        return distances, indices

    def _span(self, k: int) -> int:
        """Say around how many leaves a query looks first: enough for twice its neighbours."""
        leaves = 1 << self._depth
        smallest, span = len(self._space[0]) // leaves, 1
        while span < leaves and span * smallest < 2 * (k + 1):
            span *= 2
        return span


def _leaf_size(n: int, d: int) -> int:
    """Say how many points a leaf holds at most, as measured: few where boxes rule much out.

    In many columns, a leaf's cell is to stay in a processor's second cache.
    """
    if d <= FEW_COLUMNS:
        return 128
    if d <= SOME_COLUMNS:
        return 256 if n <= 20_000 else 512
    return int(max(64, min(1024, CACHED_COORDINATES // d)))


def plain_metric(metric: str, p: float) -> str:
    """Name the metric that minkowski with power `p` is, where it has a name."""
    return {1.0: "manhattan", 2.0: "euclidean"}.get(float(p), metric) if metric == "minkowski" else metric


def _cells(
    points: Matrix, begins: Ints, shape: int
) -> tuple[Singles, Singles, Matrix, Matrix, Matrix, Matrix]:
    """Make the leaves' cells, norms, centres, radii, lows and highs."""
    leaves, d = len(begins) - 1, points.shape[1]
    columns, width = _up(d, COLUMN_STEP), _up(int(np.diff(begins).max()), WIDTH_STEP)
    cells, norms = np.zeros((leaves, columns, width), np.float32), np.empty((leaves, width), np.float32)
    centers, lows, highs = np.empty((leaves, d)), np.empty((d, leaves)), np.empty((d, leaves))
    fill = partial(partition.fill_cells, points, begins, cells, norms, centers, lows, highs)
    run_blocks(fill, leaves, LEAVES_AT_ONCE)
    corner = highs / 2 - lows / 2
    radii = np.sqrt((corner**2).sum(axis=0)) if shape == kernels.EUCLIDEAN else corner.sum(axis=0)
    return cells, norms, centers, radii, lows, highs


def _up(count: int, step: int) -> int:
    return -(-count // step) * step


def _rule(metric: str, p: float, d: int) -> kernels.Rule:
    if metric != "minkowski":
        kind = METRICS[metric]
        return kind, p, kind, 1.0
    if p < EUCLID_UNTIL:
        return kernels.MINKOWSKI, p, kernels.EUCLIDEAN, max(1.0, d ** (0.5 - 1 / p))
    return kernels.MINKOWSKI, p, kernels.CHEBYSHEV, 1.0
