"""Isolation trees that cut by hyperplanes, as arrays: grown, walked, stored and checked."""

import itertools
import math
from typing import Self

import numpy as np

from pynomaly.detection.algorithms import extended_kernels as kernels
from pynomaly.detection.algorithms import forest_kernels
from pynomaly.detection.algorithms.contract import Progress, State
from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Singles, Words
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks, thread_count
from pynomaly.detection.algorithms.trees import EXPLAINED_AT_ONCE, LONGEST_PATH, MAX_NODES, Growth

COLUMNS_OF_A_PLANE = 2
FARTHEST = 1e15


class PlaneTrees:
    """Trees in flat node arrays (see `extended_kernels`); tree t has nodes roots[t] to roots[t + 1]."""

    def __init__(
        self,
        feature: Codes,
        weight: Singles,
        threshold: Singles,
        below: Codes,
        value: Singles,
        roots: Ints,
    ) -> None:
        """Keep the nodes."""
        self.feature, self.weight, self.threshold, self.below = feature, weight, threshold, below
        self.value, self.roots = value, roots
        self._depths = depths(below, roots)

    def __len__(self) -> int:
        """Count the trees."""
        return len(self.roots) - 1

    @classmethod
    def grow(
        cls, X: Floats, center: Floats, inverse: Floats, how: Growth, seeds: Words, progress: Progress
    ) -> Self:
        """Grow one tree on `X` for each seed; the trees do not depend on the number of threads.

        A tree's planes lie in all columns, also when `how` allows it fewer: each weighs two of them.
        """
        shape, pair = (len(seeds), 2 * how.rows - 1), COLUMNS_OF_A_PLANE
        feature, weight = np.empty((*shape, pair), np.int32), np.empty((*shape, pair), np.float32)
        below, counts = np.empty(shape, np.int32), np.empty(len(seeds), np.int64)
        threshold, value = np.empty(shape, np.float32), np.empty(shape, np.float32)
        max_depth = math.ceil(math.log2(max(how.rows, 2)))

        def work(begin: int, end: int) -> None:
            part = slice(begin, end)
            data = np.stack([draw_rows(X, center, inverse, how, seed) for seed in seeds[part]])
            kernels.grow_trees(
                data, max_depth, seeds[part], feature[part], weight[part], threshold[part], below[part],
                value[part], counts[part],
            )  # fmt: skip

        run_blocks(work, len(seeds), max(1, math.ceil(len(seeds) / (4 * thread_count()))), progress)
        kept = np.arange(shape[1]) < counts[:, None]
        roots = np.concatenate([[0], np.cumsum(counts)])
        return cls(feature[kept], weight[kept], threshold[kept], below[kept], value[kept], roots)

    def sum_paths(
        self, X: Floats, center: Floats, inverse: Floats, out: Floats, begin: int, end: int
    ) -> None:
        """Write each row's path length, summed over the trees."""
        rows = compared(X[begin:end], center, inverse)
        kernels.sum_paths(
            rows, self.feature, self.weight, self.threshold, self.below, self.value, self.roots,
            self._depths, out[begin:end], 0, len(rows),
        )  # fmt: skip

    def attribute_paths(self, X: Floats, center: Floats, inverse: Floats) -> Floats:
        """Give, for each row and column, by how much its cuts shorten the path, over the trees."""
        rows, out = compared(X, center, inverse), np.zeros(X.shape)

        def work(begin: int, end: int) -> None:
            kernels.attribute_paths(
                rows, self.feature, self.weight, self.threshold, self.below, self.value, self.roots,
                out, begin, end,
            )  # fmt: skip

        run_blocks(work, len(X), EXPLAINED_AT_ONCE)
        return out

    def state(self) -> State:
        """Give the node arrays; a leaf's threshold is 0, since what is stored is finite."""
        names = ("feature", "weight", "below", "value", "roots")
        finite = np.where(np.isinf(self.threshold), np.float32(0), self.threshold)
        return {"threshold": finite} | {name: getattr(self, name) for name in names}

    @classmethod
    def from_state(cls, stored: Stored, d: int) -> Self:
        """Take the node arrays back; checked, so that no walk leaves its tree or goes in circles.

        Raises:
            BadBundle: they are no trees on `d` columns.
        """
        roots = stored.take("roots", np.int64, (None,), 0, MAX_NODES)
        if len(roots) < 2 or roots[0] != 0 or (np.diff(roots) < 1).any():
            raise stored.bad("roots", "does not increase from 0")
        count, sizes = int(roots[-1]), np.diff(roots)
        feature = stored.take("feature", np.int32, (count, COLUMNS_OF_A_PLANE), 0, d - 1)
        weight = stored.take("weight", np.float32, feature.shape, -1, 1)
        threshold = stored.take("threshold", np.float32, (count,))
        below = stored.take("below", np.int32, (count,), 0, MAX_NODES)
        place = np.arange(count) - np.repeat(roots[:-1], sizes)
        leaf = below == place
        if ((below < place) | (~leaf & (below + 1 >= np.repeat(sizes, sizes)))).any():
            raise stored.bad("below", "points outside its tree")
        threshold[leaf] = np.inf
        value = stored.take("value", np.float32, (count,), 0, LONGEST_PATH)
        return cls(feature, weight, threshold, below, value, roots)


def depths(below: Codes, roots: Ints) -> Ints:
    """Give the depth of the deepest leaf of each tree."""
    left = np.where(below == np.arange(len(below)) - np.repeat(roots[:-1], np.diff(roots)), 0, below)
    left = left.astype(np.int32)
    pairs = itertools.pairwise(roots)
    return np.array([forest_kernels.deepest(left[a:b], np.array([0, b - a])) for a, b in pairs], np.int64)


def compared(X: Floats, center: Floats, inverse: Floats) -> Singles:
    """Give the values as trees compare them: centred, scaled, cut off far out, in single precision."""
    with np.errstate(over="ignore"):
        return np.clip((X - center) * inverse, -FARTHEST, FARTHEST).astype(np.float32)


def draw_rows(X: Floats, center: Floats, inverse: Floats, how: Growth, seed: np.uint64) -> Singles:
    """Draw one tree's rows: shape (d, rows)."""
    random = np.array([seed], np.uint64)
    rows = forest_kernels.draw_rows(len(X), how.rows, how.with_replacement, random)
    return np.ascontiguousarray(compared(X[rows], center, inverse).T)
