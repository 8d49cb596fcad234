"""Makes columns comparable: a centre and a unit for each, learned once and kept with the model."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix, State, read_only
from pynomaly.detection.algorithms.scaling_kernels import normal_scores
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks

LIMIT = 1e9
"""Scaled values are clipped here: a row that many units away is as odd as can be, and squares stay finite."""

UNSCALED_LIMIT = 1e100
"""The same for values that are not scaled."""

NORMAL_QUARTILE_RANGE = 1.3489795003921634
"""Quartile range of a normal distribution with standard deviation 1."""

SMALLEST = 1e-300

KNOTS = 1000
"""Values of a column that are kept to scale by rank; with more, evenly spaced by rank."""

LARGEST_LEVEL = 40.0
"""No normal score is as large."""

SCALED_AT_ONCE = 16_384


@dataclass(frozen=True)
class Scaling:
    """(x - center) / unit for each column; both float64, shape (d,).

    By rank: the normal score of x's rank among the training values, from `knots` and `levels`, both (d, q).
    """

    center: Matrix
    unit: Matrix
    limit: float = LIMIT
    knots: Matrix | None = None
    levels: Matrix | None = None

    @classmethod
    def fit(cls, X: Matrix, kind: str) -> Self:
        """Learn from `X`, shape (n, d).

        - robust: median, and quartile range / 1.349 (1 standard deviation if normal). A column whose
          quartiles are equal (mostly one value) takes its standard deviation.
        - standard: mean and standard deviation.
        - rank: normal scores of the ranks (B. L. van der Waerden, 1952), ties at their middle; beyond the
          training values it goes on by the logarithm of the robust units.
        - none: 0 and 1.

        A constant column has unit 1. Units are never 0 nor infinite, also for values near the largest float.
        """
        center, unit = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if kind != "none":
            for j in range(X.shape[1]):
                center[j], unit[j] = _standard(X[:, j]) if kind == "standard" else _robust(X[:, j])
        if kind != "rank":
            return cls(center, unit, _limit(kind))
        ranked = [_knots(X[:, j]) for j in range(X.shape[1])]
        width = max(len(knots) for knots, _ in ranked)
        together = np.array([_filled(pair, width) for pair in ranked])
        knots, levels = np.ascontiguousarray(together.transpose(1, 0, 2))
        return cls(center, unit, LIMIT, knots, levels)

    def apply(self, X: Matrix) -> Matrix:
        """Scale the rows of `X`; each value depends on itself alone."""
        if self.knots is not None and self.levels is not None:
            out, fixed = np.empty(X.shape), (self.knots, self.levels, self.unit, self.limit)
            run_blocks(lambda begin, end: normal_scores(X, *fixed, out, begin, end), len(X), SCALED_AT_ONCE)
            return read_only(out)
        with np.errstate(over="ignore"):
            return read_only(np.clip((X - self.center) / self.unit, -self.limit, self.limit))

    def state(self) -> State:
        """Give the arrays."""
        if self.knots is None or self.levels is None:
            return {"center": self.center, "unit": self.unit}
        return {"center": self.center, "unit": self.unit, "knots": self.knots, "levels": self.levels}

    @classmethod
    def from_state(cls, stored: Stored, kind: str) -> Self:
        """Take the arrays back, checked."""
        center = stored.take("center", np.float64, (None,))
        unit = stored.take("unit", np.float64, center.shape, low=SMALLEST)
        if kind != "rank":
            return cls(center, unit, _limit(kind))
        knots = stored.take("knots", np.float64, (len(center), None))
        levels = stored.take("levels", np.float64, knots.shape, -LARGEST_LEVEL, LARGEST_LEVEL)
        for name, array in (("knots", knots), ("levels", levels)):
            if (array[:, 1:] < array[:, :-1]).any():
                raise stored.bad(name, "is not in order")
        return cls(center, unit, LIMIT, knots, levels)


def _knots(column: Matrix) -> tuple[Matrix, Matrix]:
    """List a column's values in order, and the normal score of each; at most `KNOTS` of them."""
    from scipy.special import ndtri

    values, counts = np.unique(column, return_counts=True)
    if len(values) > KNOTS:
        kept = np.unique(np.linspace(0, len(column) - 1, KNOTS).round().astype(np.intp))
        kept = np.unique(np.searchsorted(np.cumsum(counts), kept, side="right"))
    else:
        kept = np.arange(len(values))
    middle = (np.cumsum(counts) - counts / 2) / len(column)
    edge = 0.25 / len(column)
    return values[kept], ndtri(np.clip(middle[kept], edge, 1 - edge))


def _filled(pair: tuple[Matrix, Matrix], width: int) -> list[Matrix]:
    """Repeat the last knot and the last level, so that all columns have equally many."""
    return [np.pad(part, (0, width - len(part)), mode="edge") for part in pair]


def _limit(kind: str) -> float:
    return UNSCALED_LIMIT if kind == "none" else LIMIT


def _robust(column: Matrix) -> tuple[float, float]:
    low, middle, high = np.quantile(column / 2, (0.25, 0.5, 0.75))
    unit = (high - low) / NORMAL_QUARTILE_RANGE
    if unit <= SMALLEST:
        return float(2 * middle), _standard(column)[1]
    return float(2 * middle), 2 * float(min(unit, np.finfo(np.float64).max / 2))


def _standard(column: Matrix) -> tuple[float, float]:
    largest = float(np.abs(column).max())
    if largest <= SMALLEST:
        return 0.0, 1.0
    shrunk = column / largest
    unit = float(shrunk.std()) * largest
    constant = unit <= SMALLEST or column.min() == column.max()
    return float(shrunk.mean()) * largest, 1.0 if constant else unit
