"""Makes the scores of different algorithms comparable: how rare such a score is among the training rows."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix, State
from pynomaly.detection.algorithms.levels_kernels import levels_of
from pynomaly.detection.algorithms.scaling import SMALLEST
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks

TAIL, BODY = 500, 1_500
"""Of the training scores, the highest are all kept, and as many of the others, evenly spaced by rank."""

HIGHEST = 1_000.0
"""No level is as high: -ln(1 / rows) is below 50, and the logarithm of what is beyond below 800."""

LEVELLED_AT_ONCE = 65_536


@dataclass(frozen=True)
class Levels:
    """A score's level: -ln of the share of training rows that score at least as high, shape (q,) knots.

    0 for the lowest training score, ln(n + 1) for the highest; on the straight line between two knots. Above
    the highest score it goes on by ln(1 + excess / unit), so that rows beyond all training rows keep their
    order, and no algorithm outweighs the others by far values alone.
    """

    scores: Matrix
    levels: Matrix
    unit: float

    @classmethod
    def fit(cls, scores: Matrix) -> Self:
        """Learn from training scores, float64, shape (n,), finite."""
        n = len(scores)
        values, counts = np.unique(scores, return_counts=True)
        at_least = n - np.cumsum(counts) + counts
        if len(values) > TAIL + BODY:
            ranks = np.linspace(0, n - 1, BODY).round().astype(np.intp)
            body = np.searchsorted(np.cumsum(counts), ranks, side="right")
            kept = np.union1d(body, np.arange(len(values) - TAIL, len(values)))
            values, at_least = values[kept], at_least[kept]
        return cls(values, -np.log((1 + at_least) / (n + 1)), _unit(scores, float(values[-1])))

    def apply(self, scores: Matrix) -> Matrix:
        """Give each score's level, shape (m,); it depends on that score alone."""
        out = np.empty(len(scores))
        run_blocks(
            lambda begin, end: levels_of(scores, self.scores, self.levels, self.unit, out, begin, end),
            len(scores),
            LEVELLED_AT_ONCE,
        )
        return out

    def state(self) -> State:
        """Give the arrays."""
        return {"scores": self.scores, "levels": self.levels, "unit": np.array([self.unit])}

    @classmethod
    def from_state(cls, stored: Stored, prefix: str) -> Self:
        """Take the arrays back, checked; their names begin with `prefix`."""
        scores = stored.take(f"{prefix}scores", np.float64, (None,))
        levels = stored.take(f"{prefix}levels", np.float64, scores.shape, 0.0, HIGHEST)
        for name, array in (("scores", scores), ("levels", levels)):
            if (array[1:] < array[:-1]).any():
                raise stored.bad(f"{prefix}{name}", "is not in order")
        return cls(scores, levels, float(stored.take(f"{prefix}unit", np.float64, (1,), low=SMALLEST)[0]))


def _unit(scores: Matrix, highest: float) -> float:
    """How far the highest training score is from most others; never 0 nor infinite."""
    middle, upper = np.quantile(scores / 2, [0.5, 0.9])
    unit = 2 * min(max(highest / 2 - upper, 0.1 * (highest / 2 - middle)), np.finfo(np.float64).max / 2)
    return float(max(unit, abs(highest) * 1e-9, 1e-9 if unit <= SMALLEST else 0.0))
