"""Isolation forest: rows that random cuts set apart early are anomalous (Liu, Ting & Zhou 2008)."""

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import forest_kernels as kernels
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks, thread_count
from pynomaly.errors import FitFailed

MAX_NODES = 2**27
MAX_HEAP_NODES = 2**22
SCORED_AT_ONCE = 16_384
EXPLAINED_AT_ONCE = 256
CENTRED_ON = 10_000
NODE_ARRAYS = {"feature": np.int32, "threshold": np.float32, "left": np.int32, "value": np.float32}


class IsolationForest(Algorithm):
    """Isolation forest (F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM 2008).

    Score: 2 ** -(mean path length / c), in (0, 1]; c is the mean path length of a random tree on `max_samples` rows.
    Rows that are like most others score about 0.5 and below. Equal to minus scikit-learn's `score_samples`.

    Values are centred on the median and compared as float32, so a row's score is the same in every batch; cuts are as
    fine as 1e-7 of a column's distance from its median. Time: O(n_trees * max_samples * log max_samples) to fit and
    O(n_trees * log max_samples) for each row.

    `contributions` are path attributions (Saabas 2014, for path lengths): at each cut on a row's way, what the cut
    takes off the path length that is expected for the training rows there goes to the column that is cut. They are
    exact in that they add up: their sum is log2(score) - log2(score of a row with the mean path length).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> forest = IsolationForest(seed=1).fit(X)
    >>> int(forest.contributions(np.array([[0.0, 8.0, 0.0]])).argmax())
    1
    """

    name = "isolation_forest"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        n, d = X.shape
        self._size = self._rows_per_tree(n)
        trees, nodes = int(self.params["n_trees"]), 2 * self._size - 1
        if trees * nodes > MAX_NODES:
            raise FitFailed(
                f"{trees} trees of {self._size} rows are too large: lower n_trees or max_samples, so that their "
                f"product is at most {MAX_NODES // 2}."
            )
        generator = np.random.default_rng(self.seed)
        self._center(X, generator)
        seeds = generator.integers(0, 2**64, trees, dtype=np.uint64)
        arrays = [np.empty((trees, nodes), dtype) for dtype in NODE_ARRAYS.values()]
        counts = np.empty(trees, np.int64)
        n_features = max(1, int(float(self.params["max_features"]) * d))
        max_depth = math.ceil(math.log2(max(self._size, 2)))

        def grow(begin: int, end: int) -> None:
            kernels.grow_trees(
                X,
                self._scaling.center,
                self._inverse,
                self._size,
                n_features,
                bool(self.params["bootstrap"]),
                max_depth,
                seeds[begin:end],
                *(array[begin:end] for array in arrays),
                counts[begin:end],
            )

        run_blocks(
            grow, trees, max(1, math.ceil(trees / (4 * thread_count()))), lambda share: progress(share / 4)
        )
        kept = np.arange(nodes) < counts[:, None]
        self._plant(*(array[kept] for array in arrays), np.concatenate([[0], np.cumsum(counts)]))
        self._training_scores = self._score_blocks(X, progress, 0.25)

    def _rows_per_tree(self, n: int) -> int:
        asked = self.params["max_samples"]
        if asked == "auto":
            return min(256, n)
        size = int(asked * n) if asked <= 1 else int(asked)
        if size > n:
            self._note(f"Each tree was grown from all {n} rows, since there are not max_samples={asked}.")
        return min(n, max(2, size))

    def _center(self, X: Matrix, generator: np.random.Generator) -> None:
        """Centre on medians, so that float32 keeps the differences of values that all lie far from 0."""
        few = X if len(X) <= CENTRED_ON else X[generator.choice(len(X), CENTRED_ON, replace=False)]
        self._scale_by(Scaling.fit(few, "robust"))

    def _scale_by(self, scaling: Scaling) -> None:
        self._scaling = scaling
        self._inverse = 1.0 / scaling.unit

    def _plant(
        self,
        feature: NDArray[np.int32],
        threshold: NDArray[np.float32],
        left: NDArray[np.int32],
        value: NDArray[np.float32],
        roots: NDArray[np.int64],
    ) -> None:
        """Keep the trees, and lay them out as heaps if they are shallow enough."""
        self._nodes, self._roots = (feature, threshold, left, value), roots
        self._norm = (len(roots) - 1) * (kernels.average_path(float(self._size)) or 1.0)
        self._depth = int(kernels.deepest(left, roots))
        trees, places = len(roots) - 1, 1 << min(self._depth, 62)
        self._heaps: tuple[NDArray[Any], ...] | None = None
        if self._depth <= kernels.MAX_HEAP_DEPTH and trees * places <= MAX_HEAP_NODES:
            heaps = [np.zeros((trees, places), dtype) for dtype in (np.int32, np.float32, np.float32)]
            kernels.fill_heap(*self._nodes, roots, self._depth, *heaps)
            self._heaps = tuple(heaps)

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(X)

    def _score_blocks(self, X: Matrix, progress: Progress | None = None, start: float = 0.0) -> Matrix:
        out = np.empty(len(X))

        def work(begin: int, end: int) -> None:
            common = (X, self._scaling.center, self._inverse)
            if self._heaps:
                kernels.sum_heaps(*common, *self._heaps, self._depth, out, begin, end)
            else:
                kernels.sum_paths(*common, *self._nodes, self._roots, out, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE, progress, start)
        out /= -self._norm
        return np.exp2(out, out=out)

    def _contributions(self, X: Matrix) -> Matrix:
        out = np.zeros(X.shape)

        def work(begin: int, end: int) -> None:
            common = (X, self._scaling.center, self._inverse)
            kernels.attribute_paths(*common, *self._nodes, self._roots, out, begin, end)

        run_blocks(work, len(X), EXPLAINED_AT_ONCE)
        out /= self._norm
        return out

    @classmethod
    def warm_up(cls, X: Matrix) -> None:
        """Run the kernels for shallow trees and for deep ones."""
        super().warm_up(X)
        trained = cls(n_trees=1).fit(X)
        trained._heaps = None
        trained.score(X)

    def state(self) -> State:
        """Give the trees as flat node arrays (see `forest_kernels`), and the columns' centres and units."""
        nodes = dict(zip(NODE_ARRAYS, self._nodes, strict=True))
        return {**nodes, "roots": self._roots, "size": np.array([self._size]), **self._scaling.state()}

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained forest; node indices are checked, so that kernels read no memory but the trees'."""
        forest, stored = cls(seed=seed, **params), Stored(cls.name, state)
        forest._scale_by(Scaling.from_state(stored, "robust"))
        forest.n_features_ = len(forest._scaling.center)
        forest._size = int(stored.take("size", np.int64, (1,), 2, 2**31)[0])
        roots = stored.take("roots", np.int64, (None,), 0, MAX_NODES)
        count = int(roots[-1])
        if len(roots) < 2 or roots[0] != 0 or (np.diff(roots) < 1).any():
            raise stored.bad("roots", "does not increase from 0")
        feature = stored.take("feature", np.int32, (count,), 0, forest.n_features_ - 1)
        threshold = stored.take("threshold", np.float32, (count,))
        left = stored.take("left", np.int32, (count,), 0, MAX_NODES)
        sizes = np.repeat(np.diff(roots), np.diff(roots))
        own = np.arange(count) - np.repeat(roots[:-1], np.diff(roots))
        if ((left > 0) & ((left <= own) | (left + 1 >= sizes))).any():
            raise stored.bad("left", "points outside its tree")
        forest._plant(feature, threshold, left, stored.take("value", np.float32, (count,), 0, 1e6), roots)
        return forest
