"""Robust z-score: rows with values far from the columns' medians are anomalous (Iglewicz & Hoaglin 1993)."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import robust_z_kernels as kernels
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.scaling import SMALLEST
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import map_columns, run_blocks

AT_ONCE = 65_536
NORMAL_DEVIATION = 0.6744897501960817
"""Median absolute deviation of a normal distribution with standard deviation 1."""

NORMAL_MEAN_DEVIATION = 0.7978845608028654
"""Its mean absolute deviation."""

WAYS = {"mean": kernels.MEAN, "rms": kernels.RMS, "max": kernels.MAX}


class RobustZ(Algorithm):
    """Modified z-scores (B. Iglewicz, D. Hoaglin, "How to detect and handle outliers", 1993): |x - median| /
    (1.4826 * median absolute deviation), in standard deviations if the column is normal.

    Score: the mean, the root of the mean square or the greatest of the row's modified z-scores, as `combine`
    says; with "max", above 3.5 is the authors' rule for an outlier. A column whose median absolute deviation
    is 0 takes its mean absolute deviation, a constant one 1. Columns are taken as independent.

    `contributions` are exact and add up to the score: z / d for the mean, z^2 / (d * score) for the root of
    the mean square, and the Shapley values of the maximum for the greatest (S. C. Littlechild, G. Owen, "A
    simple expression for the Shapley value in a special case", 1973). Time: O(n * d) to fit, O(d) for each
    row.

    >>> import numpy as np
    >>> X = np.arange(-50.0, 51.0)[:, None]
    >>> RobustZ(combine="max").fit(X).score(np.array([[0.0], [74.13]])).round(3).tolist()
    [0.0, 2.0]
    """

    name = "robust_z"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        pairs = map_columns(lambda j: _median_and_unit(X[:, j]), range(X.shape[1]), len(X))
        self._center, self._unit = np.ascontiguousarray(np.array(pairs).T)
        progress(0.7)
        self._training_scores = self._score(X)
        progress(1.0)

    def _score(self, X: Matrix) -> Matrix:
        totals, how = np.empty(len(X)), WAYS[self.params["combine"]]

        def work(begin: int, end: int) -> None:
            kernels.combine_distances(X, self._center, self._unit, how, totals, begin, end)

        run_blocks(work, len(X), AT_ONCE)
        return totals

    def _contributions(self, X: Matrix) -> Matrix:
        z: Matrix = np.empty(X.shape)
        kernels.all_distances(X, self._center, self._unit, z)
        if self.params["combine"] == "max":
            return _shares_of_greatest(z)
        if self.params["combine"] == "rms":
            squares = z * z
            total = np.sqrt(squares.mean(axis=1, keepdims=True))
            z = squares / np.where(total > 0, total, 1.0)
        return np.asarray(z / X.shape[1])

    def state(self) -> State:
        """Give each column's median and unit."""
        return {"center": self._center, "unit": self._unit}

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        trained, stored = cls(seed=seed, **params), Stored(cls.name, state)
        trained._center = stored.take("center", np.float64, (None,))
        trained.n_features_ = len(trained._center)
        trained._unit = stored.take("unit", np.float64, trained._center.shape, SMALLEST)
        return trained


def _median_and_unit(column: Matrix) -> tuple[float, float]:
    """Give the median, and the deviation of a normal distribution that is as wide."""
    halves = column / 2
    middle = float(np.median(halves))
    gaps = np.abs(halves - middle)
    deviation = float(np.median(gaps)) / NORMAL_DEVIATION
    if deviation <= SMALLEST:
        largest = float(gaps.max())
        if largest <= SMALLEST:
            return 2 * middle, 1.0
        deviation = float((gaps / largest).mean()) * largest / NORMAL_MEAN_DEVIATION
    return 2 * middle, max(SMALLEST, 2 * min(deviation, np.finfo(np.float64).max / 2))


def _shares_of_greatest(z: Matrix) -> Matrix:
    """Share each row's greatest value out: each step up from the next smaller one goes to all that reach
    it."""
    d = z.shape[1]
    order = np.argsort(z, axis=1, kind="stable")
    steps = np.diff(np.take_along_axis(z, order, axis=1), axis=1, prepend=0.0)
    shares = np.empty(z.shape)
    np.put_along_axis(shares, order, np.cumsum(steps / np.arange(d, 0, -1), axis=1), axis=1)
    return shares
