"""HBOS: rows with rare values, column by column, are anomalous (Goldstein & Dengel 2012)."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import hbos_kernels as kernels
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.kernels import Ints
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import map_blocks, run_blocks

CELLS_AT_ONCE = 1_048_576
"""Rows are taken in blocks of so many values, which take a millisecond: fewer are not worth threads."""

MAX_BINS = 10_000
JUST_BELOW_ONE = 1 - 1e-12
"""Keeps the greatest training value inside the last bin."""

STEEPEST = 1e300
OUTSIDE = 0.2


class HBOS(Algorithm):
    """Histogram-based outlier score (M. Goldstein, A. Dengel, "Histogram-based outlier score (HBOS)", KI
    2012), with bins of equal width.

    Score, in nats: the sum over columns of -log(h + `smoothing`), where h is the height of the value's bin
    and 1 the height that all bins have when values are spread evenly. A value outside the training range
    has -log(`smoothing` / 5). Columns are taken as independent: a row whose values are usual one by one is
    not found. "auto" uses 2 n^(1/3) bins (the rule of Rice).

    `contributions` are exact: the columns' terms, which add up to the score. Time: O(n * d) to fit, O(d) for
    each row.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> hbos = HBOS().fit(X)
    >>> int(hbos.contributions(np.array([[0.0, 6.0, 0.0]])).argmax())
    1
    """

    name = "hbos"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        low, high = self._ranges(X)
        bins = self.params["n_bins"]
        bins = min(MAX_BINS, max(2, round(2 * len(X) ** (1 / 3)))) if bins == "auto" else int(bins)
        self._halves, width = low / 2, high / 2 - low / 2
        with np.errstate(divide="ignore", over="ignore"):
            self._inverse = np.minimum(bins * JUST_BELOW_ONE / width, STEEPEST)
        progress(0.2)
        self._parts = self._heights(X, bins, width > 0)
        progress(0.5)
        self._training_scores = self._score_blocks(X)
        progress(1.0)

    def _ranges(self, X: Matrix) -> tuple[Matrix, Matrix]:
        def work(begin: int, end: int) -> tuple[Matrix, Matrix]:
            low, high = X[begin].copy(), X[begin].copy()
            kernels.find_ranges(X, low, high, begin, end)
            return low, high

        lows, highs = zip(*map_blocks(work, len(X), _rows_at_once(X)), strict=True)
        return np.min(lows, axis=0), np.max(highs, axis=0)

    def _heights(self, X: Matrix, bins: int, varies: NDArray[np.bool_]) -> Matrix:
        """Count the training rows in each bin and give each bin's term, shape (d, bins + 2)."""

        def work(begin: int, end: int) -> Ints:
            counts = np.zeros((X.shape[1], bins + 2), np.int64)
            kernels.count_bins(X, self._halves, self._inverse, counts, begin, end)
            return counts

        counts = np.sum(map_blocks(work, len(X), max(_rows_at_once(X), 8 * bins)), axis=0)
        smoothing = float(self.params["smoothing"])
        heights = counts * (bins / len(X))
        heights[~varies] /= bins  # a column with one value has one bin
        heights += smoothing
        heights[:, [0, -1]] = OUTSIDE * smoothing
        return np.asarray(-np.log(heights))

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(X)

    def _score_blocks(self, X: Matrix, shares: Matrix | None = None) -> Matrix:
        totals = np.empty(len(X))
        shares = np.empty((0, 0)) if shares is None else shares
        fixed = (self._halves, self._inverse, self._parts, shares, totals)

        def work(begin: int, end: int) -> None:
            kernels.add_parts(X, *fixed, begin, end)

        run_blocks(work, len(X), _rows_at_once(X))
        return totals

    def _contributions(self, X: Matrix) -> Matrix:
        shares = np.empty(X.shape)
        self._score_blocks(X, shares)
        return shares

    def state(self) -> State:
        """Give half of each column's least value, its bins per half unit, and the bins' terms."""
        return {"halves": self._halves, "inverse": self._inverse, "parts": self._parts}

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        hbos, stored = cls(seed=seed, **params), Stored(cls.name, state)
        largest = np.finfo(np.float64).max / 2
        hbos._halves = stored.take("halves", np.float64, (None,), -largest, largest)
        hbos.n_features_ = d = len(hbos._halves)
        hbos._inverse = stored.take("inverse", np.float64, (d,), 0.0, STEEPEST)
        hbos._parts = stored.take("parts", np.float64, (d, None), -1e6, 1e6)
        if d * hbos._parts.shape[1] >= 2**32:
            raise stored.bad("parts", "is too large")
        return hbos


def _rows_at_once(X: Matrix) -> int:
    return max(1, CELLS_AT_ONCE // int(X.shape[1]))
