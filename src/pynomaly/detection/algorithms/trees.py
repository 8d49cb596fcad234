"""Isolation trees as arrays: grown, walked, stored and checked."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from pynomaly.detection.algorithms import forest_kernels as kernels
from pynomaly.detection.algorithms.contract import Progress, State
from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Singles, Words
from pynomaly.detection.algorithms.shapley import ShapleyValues
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks, thread_count

MAX_NODES = 2**27
MAX_HEAP_PLACES = 2**22
LONGEST_PATH = 1e6
MAX_SHAPLEY_NODES, MAX_SHAPLEY_DEPTH = 2**17, 64
EXPLAINED_AT_ONCE = 256


@dataclass(frozen=True)
class Growth:
    """How trees are grown: rows and columns of each, and whether rows are drawn with replacement."""

    rows: int
    columns: int
    with_replacement: bool


class Trees:
    """Isolation trees in flat node arrays (see `forest_kernels`); tree t has nodes roots[t] to roots[t + 1].

    Trees that are shallow enough are laid out as heaps besides, which are walked about three times as fast.
    """

    def __init__(self, feature: Codes, threshold: Singles, left: Codes, value: Singles, roots: Ints) -> None:
        """Keep the nodes, and lay out heaps."""
        self.feature, self.threshold, self.left, self.value, self.roots = (
            feature,
            threshold,
            left,
            value,
            roots,
        )
        self.depth = int(kernels.deepest(left, roots))
        self._large = len(left) > MAX_SHAPLEY_NODES or self.depth > MAX_SHAPLEY_DEPTH
        self._shapley: ShapleyValues | None = None
        self._heaps: tuple[Codes, Singles, Singles] | None = None
        if self.depth <= kernels.MAX_HEAP_DEPTH and len(self) << self.depth <= MAX_HEAP_PLACES:
            shape = (len(self), 1 << self.depth)
            self._heaps = np.zeros(shape, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
            kernels.fill_heap(feature, threshold, left, value, roots, self.depth, *self._heaps)

    def __len__(self) -> int:
        """Count the trees."""
        return len(self.roots) - 1

    @classmethod
    def grow(
        cls, X: Floats, center: Floats, inverse: Floats, how: Growth, seeds: Words, progress: Progress
    ) -> Self:
        """Grow one tree on `X` for each seed; the trees do not depend on the number of threads."""
        shape = (len(seeds), 2 * how.rows - 1)
        feature, left = np.empty(shape, np.int32), np.empty(shape, np.int32)
        threshold, value = np.empty(shape, np.float32), np.empty(shape, np.float32)
        counts = np.empty(len(seeds), np.int64)
        max_depth = math.ceil(math.log2(max(how.rows, 2)))

        def work(begin: int, end: int) -> None:
            part = slice(begin, end)
            kernels.grow_trees(
                X, center, inverse, how.rows, how.columns, how.with_replacement, max_depth, seeds[part],
                feature[part], threshold[part], left[part], value[part], counts[part],
            )  # fmt: skip

        run_blocks(work, len(seeds), max(1, math.ceil(len(seeds) / (4 * thread_count()))), progress)
        kept = np.arange(shape[1]) < counts[:, None]
        roots = np.concatenate([[0], np.cumsum(counts)])
        return cls(feature[kept], threshold[kept], left[kept], value[kept], roots)

    def sum_paths(
        self, X: Floats, center: Floats, inverse: Floats, out: Floats, begin: int, end: int
    ) -> None:
        """Write each row's path length, summed over the trees; heaps or not, the bits are the same."""
        if self._heaps:
            kernels.sum_heaps(X, center, inverse, *self._heaps, self.depth, out, begin, end)
        else:
            kernels.sum_paths(
                X, center, inverse, self.feature, self.threshold, self.left, self.value, self.roots,
                out, begin, end,
            )  # fmt: skip

    def attribute_paths(self, X: Floats, center: Floats, inverse: Floats) -> Floats:
        """Give, for each row and column, by how much it shortens the path, summed over the trees.

        Exact Shapley values; for more than 131,072 nodes, by the cuts on the row's own way (Saabas 2014).
        """
        out = np.zeros(X.shape)
        if self._large:
            self._attribute_cuts(X, center, inverse, out)
            return out
        if self._shapley is None:
            nodes = self.feature, self.threshold, self.left, self.value, self.roots
            self._shapley = ShapleyValues(*nodes, min(self.depth, X.shape[1]))
        with np.errstate(over="ignore"):
            compared = np.clip((X - center) * inverse, -kernels.LARGEST, kernels.LARGEST)
        values, rows = self._shapley, compared.astype(np.float32)
        run_blocks(lambda begin, end: values.add(rows, out, begin, end), len(X), EXPLAINED_AT_ONCE)
        return out

    def _attribute_cuts(self, X: Floats, center: Floats, inverse: Floats, out: Floats) -> None:
        def work(begin: int, end: int) -> None:
            kernels.attribute_paths(
                X, center, inverse, self.feature, self.threshold, self.left, self.value, self.roots,
                out, begin, end,
            )  # fmt: skip

        run_blocks(work, len(X), EXPLAINED_AT_ONCE)

    def as_if_large(self) -> Self:
        """Copy the trees so that they are walked node by node and explained by cuts, as large ones are."""
        copy = type(self)(self.feature, self.threshold, self.left, self.value, self.roots)
        copy._heaps, copy._large = None, True
        return copy

    def state(self) -> State:
        """Give the node arrays."""
        names = ("feature", "threshold", "left", "value", "roots")
        return {name: getattr(self, name) for name in names}

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
        feature = stored.take("feature", np.int32, (count,), 0, d - 1)
        threshold = stored.take("threshold", np.float32, (count,))
        left = stored.take("left", np.int32, (count,), 0, MAX_NODES)
        place = np.arange(count) - np.repeat(roots[:-1], sizes)
        if ((left > 0) & ((left <= place) | (left + 1 >= np.repeat(sizes, sizes)))).any():
            raise stored.bad("left", "points outside its tree")
        children = (np.arange(count) - place + left)[left > 0]
        parents = np.bincount(np.concatenate([children, children + 1]), minlength=count)
        if (parents != np.minimum(place, 1)).any():
            raise stored.bad("left", "is no tree")
        return cls(
            feature, threshold, left, stored.take("value", np.float32, (count,), 0, LONGEST_PATH), roots
        )
