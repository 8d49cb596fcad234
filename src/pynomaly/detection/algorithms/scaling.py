"""Makes columns comparable: a centre and a unit for each, learned once and kept with the model."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix, State, read_only
from pynomaly.detection.algorithms.stored import Stored

LIMIT = 1e9
"""Scaled values are clipped here: a row that many units away is as odd as can be, and squares stay finite."""

UNSCALED_LIMIT = 1e100
"""The same for values that are not scaled."""

NORMAL_QUARTILE_RANGE = 1.3489795003921634
"""Quartile range of a normal distribution with standard deviation 1."""

SMALLEST = 1e-300


@dataclass(frozen=True)
class Scaling:
    """(x - center) / unit for each column; both float64, shape (d,)."""

    center: Matrix
    unit: Matrix
    limit: float = LIMIT

    @classmethod
    def fit(cls, X: Matrix, kind: str) -> Self:
        """Learn from `X`, shape (n, d).

        - robust: median, and quartile range / 1.349 (1 standard deviation if normal). A column whose
          quartiles are equal (mostly one value) takes its standard deviation.
        - standard: mean and standard deviation.
        - none: 0 and 1.

        A constant column has unit 1. Units are never 0 nor infinite, also for values near the largest float.
        """
        center, unit = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if kind != "none":
            for j in range(X.shape[1]):
                center[j], unit[j] = _robust(X[:, j]) if kind == "robust" else _standard(X[:, j])
        return cls(center, unit, _limit(kind))

    def apply(self, X: Matrix) -> Matrix:
        """Scale the rows of `X`; each value depends on itself alone."""
        with np.errstate(over="ignore"):
            return read_only(np.clip((X - self.center) / self.unit, -self.limit, self.limit))

    def state(self) -> State:
        """Give the two arrays."""
        return {"center": self.center, "unit": self.unit}

    @classmethod
    def from_state(cls, stored: Stored, kind: str) -> Self:
        """Take the two arrays back, checked."""
        center = stored.take("center", np.float64, (None,))
        return cls(center, stored.take("unit", np.float64, center.shape, low=SMALLEST), _limit(kind))


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
