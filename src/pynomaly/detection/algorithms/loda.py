"""LODA: rows in rare places along random directions are anomalous (Pevny 2016)."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import loda_kernels as kernels
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.kernels import Ints
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.detection.parameters import rows_meant

AUTO_ROWS = 20_000
SCORED_AT_ONCE = 2_048
MAX_BINS = 10_000
STEEPEST = 1e300
WIDEST = 1e200


class LODA(Algorithm):
    """Lightweight on-line detector of anomalies (T. Pevny, "Loda", Machine Learning 102, 2016).

    Rows are projected on random directions, each of about sqrt(d) columns with normal weights; all columns
    are used equally often. Score, in nats: the mean over directions of -log of how full the row's histogram
    bin is: its training rows over those that each bin of equal width would have if they were spread evenly,
    with one row added to each bin. Beyond a histogram's range it holds half a row. "auto" uses 2 n^(1/3) bins
    (the rule of Rice). Histograms are learned from a random sample when there are more rows than
    `max_samples`, as `notes_` then says.

    `contributions` are the paper's: how much greater the mean term is of the directions that use the column
    than of those that do not, in nats. They do not add up to the score. Time: O(n_directions * sqrt(d)) for
    each row, for training and scoring alike.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 4))
    >>> loda = LODA().fit(X)
    >>> int(loda.contributions(np.array([[0.0, 0.0, 7.0, 0.0]])).argmax())
    2
    """

    name = "loda"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        n, d = X.shape
        random = np.random.default_rng(self.seed)
        sample = X
        size = max(2, rows_meant(self.params["max_samples"], n, AUTO_ROWS))
        if size < n:
            self._note(f"The histograms were learned from a random sample of {size} of the {n} rows.")
            sample = X[np.sort(random.choice(n, size, replace=False))]
        self._scaling = Scaling.fit(sample, self.params["scaling"])
        scaled = self._scaling.apply(sample)
        self._columns = _draw_columns(int(self.params["n_directions"]), d, random)
        self._weights = random.normal(size=self._columns.shape)
        self._learn(scaled)
        progress(0.5)
        self._training_scores = self._score(X)
        progress(1.0)

    def _learn(self, X: Matrix) -> None:
        """Learn the histograms of the scaled rows along each direction."""
        bins = self.params["n_bins"]
        bins = min(MAX_BINS, max(2, round(2 * len(X) ** (1 / 3)))) if bins == "auto" else int(bins)
        directions = len(self._columns)
        self._low, self._high = np.empty(directions), np.empty(directions)
        counts = np.zeros((directions, bins + 2), np.int64)
        self._inverse = np.empty(directions)

        def work(begin: int, end: int) -> None:
            part = slice(begin, end)
            low, high, inverse = self._low[part], self._high[part], self._inverse[part]
            fixed = (X, self._columns[part], self._weights[part], low, high)
            kernels.find_ranges(*fixed)
            with np.errstate(divide="ignore", over="ignore"):
                inverse[:] = np.where(high > low, np.minimum(bins / (high - low), STEEPEST), 0.0)
            kernels.count_bins(*fixed, inverse, counts[part])

        run_blocks(work, directions, max(1, directions // 16))
        smoothed = counts + 1.0
        smoothed[:, [0, -1]] = 0.5
        self._terms = np.log((len(X) + bins) / bins) - np.log(smoothed)

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(X)

    def _score_blocks(self, X: Matrix, parts: Matrix | None = None) -> Matrix:
        totals = np.empty(len(X))
        fixed = (self._columns, self._weights, self._low, self._high, self._inverse, self._terms)
        parts = np.empty((0, 0)) if parts is None else parts

        def work(begin: int, end: int) -> None:
            scaled = self._scaling.apply(X[begin:end])
            kernels.add_terms(scaled, *fixed, parts[begin:end], totals[begin:end])

        run_blocks(work, len(X), SCORED_AT_ONCE)
        return totals

    def _contributions(self, X: Matrix) -> Matrix:
        parts = np.empty((len(X), len(self._columns)))
        self._score_blocks(X, parts)
        out = np.empty(X.shape)
        for j in range(X.shape[1]):
            uses = (self._columns == j).any(axis=1)
            with_column = _means(parts[:, uses]) if uses.any() else 0.0
            out[:, j] = with_column - (_means(parts[:, ~uses]) if not uses.all() else 0.0)
        return out

    def state(self) -> State:
        """Give the directions, their histograms' ranges and terms, and the scaling."""
        return {
            "columns": self._columns,
            "weights": self._weights,
            "low": self._low,
            "high": self._high,
            "inverse": self._inverse,
            "terms": self._terms,
            **self._scaling.state(),
        }

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        loda, stored = cls(seed=seed, **params), Stored(cls.name, state)
        loda._scaling = Scaling.from_state(stored, loda.params["scaling"])
        loda.n_features_ = d = len(loda._scaling.center)
        loda._columns = stored.take("columns", np.int64, (None, None), 0, d - 1)
        shape = loda._columns.shape
        loda._weights = stored.take("weights", np.float64, shape, -1e6, 1e6)
        loda._low = stored.take("low", np.float64, shape[:1], -WIDEST, WIDEST)
        loda._high = stored.take("high", np.float64, shape[:1], -WIDEST, WIDEST)
        loda._inverse = stored.take("inverse", np.float64, shape[:1], 0.0, STEEPEST)
        loda._terms = stored.take("terms", np.float64, (shape[0], None), -1e6, 1e6)
        if loda._terms.shape[1] < 3:
            raise stored.bad("terms", "has too few bins")
        return loda


def _draw_columns(directions: int, d: int, random: np.random.Generator) -> Ints:
    """Draw about sqrt(d) different columns for each direction, all columns equally often in the long run."""
    size = max(1, round(d**0.5))
    whole = d // size  # directions that one shuffle of all columns serves
    shuffles = [
        random.permutation(d)[: whole * size].reshape(whole, size) for _ in range(-(-directions // whole))
    ]
    return np.ascontiguousarray(np.concatenate(shuffles)[:directions], dtype=np.int64)


def _means(parts: Matrix) -> Matrix:
    """Give each row's mean, added up in the same order whatever the number of rows."""
    return np.asarray(np.cumsum(parts, axis=1)[:, -1] / parts.shape[1])
