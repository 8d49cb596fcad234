"""What a score means: its place among the scores of the training rows, kept exactly or nearly so."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynomaly.errors import BadBundle, FitFailed

Scores = NDArray[np.float64]
Counts = NDArray[np.int64]

EXACT_MOST = 100_000
"""Up to this many training scores are all kept."""

TAIL_KEPT = 20_000
"""Of more, the highest are all kept …"""

BODY_KEPT = 20_000
"""… and this many of the others, evenly spaced by rank."""


@dataclass(frozen=True)
class Calibration:
    """The distribution of n scores: `values` ascending; for each, how many scores are >= and > it.

    Exact for up to `EXACT_MOST` scores, and above that for the `TAIL_KEPT` highest scores. Between two
    kept values of the rest the p-value is rounded up, by at most 1 / `BODY_KEPT`.
    """

    values: Scores
    at_least: Counts
    above: Counts
    rows: int

    @classmethod
    def fit(cls, scores: Scores) -> "Calibration":
        """Learn from the training scores, shape (n,); raises FitFailed when one is not finite."""
        if not np.isfinite(scores).all():
            raise FitFailed("The algorithm gave some rows of this table scores that are not finite numbers.")
        ordered = np.sort(scores)
        n = len(ordered)
        kept = np.arange(n)
        if n > EXACT_MOST:
            body = np.linspace(0, n - TAIL_KEPT - 1, BODY_KEPT).round().astype(np.intp)
            kept = np.concatenate([body, kept[n - TAIL_KEPT :]])
        values = np.unique(ordered[kept])
        at_least = n - np.searchsorted(ordered, values, side="left").astype(np.int64)
        above = n - np.searchsorted(ordered, values, side="right").astype(np.int64)
        return cls(values, at_least, above, n)

    def p_values(self, scores: Scores) -> Scores:
        """(1 + number of training scores >= s) / (n + 1) for each score s: the smaller, the more unusual.

        Never 0: a score above all training scores has 1 / (n + 1). For a new row like the training rows,
        p <= a has a chance of at most a when these are scored as if they were new, too (conformal p-value:
        V. Vovk, A. Gammerman, G. Shafer 2005; Bates et al. 2023).
        """
        place = np.searchsorted(self.values, scores, side="left")
        kept = self.values[np.minimum(place, len(self.values) - 1)] == scores
        between = np.append(self.rows, self.above)[place]
        counts = np.where(kept, np.append(self.at_least, 0)[place], between)
        return np.asarray((1.0 + counts) / (self.rows + 1.0))

    def quantile(self, share: float) -> float:
        """Find the score that a `share` of the scores lie at or below, as numpy's `quantile` does."""
        place = share * (self.rows - 1)
        low = int(place)
        below, above = self._ordered(low), self._ordered(min(low + 1, self.rows - 1))
        return below + (above - below) * (place - low)

    def highest_but(self, most: int) -> float:
        """Find the lowest cut that at most `most` scores lie above; below all when `most` is all of them."""
        if most >= self.rows:
            return math.nextafter(float(self.values[0]), -math.inf)
        return self._ordered(self.rows - 1 - most)

    def share_above(self, cut: float) -> float:
        """Give the share of the scores that lie above `cut`."""
        place = int(np.searchsorted(self.values, cut, side="right"))
        return float(self.above[place - 1]) / self.rows if place else 1.0

    def tied(self, score: float) -> int:
        """Count the scores that equal `score`; of more than 100,000, as far as they are kept."""
        place = int(np.searchsorted(self.values, score))
        if place == len(self.values) or self.values[place] != score:
            return 0
        return int(self.at_least[place] - self.above[place])

    def _ordered(self, place: int) -> float:
        """Find the score at a place in ascending order (from 0); between kept ones the next higher."""
        return float(self.values[np.searchsorted(self.rows - self.above, place, side="right")])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of a saved model."""
        return {"values": self.values, "at_least": self.at_least, "above": self.above}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], rows: Any) -> "Calibration":
        """Rebuild what `arrays` gave; raises BadBundle when it makes no sense."""
        values, at_least, above = (arrays.get(name) for name in ("values", "at_least", "above"))
        if values is None or at_least is None or above is None or type(rows) is not int:
            raise BadBundle("The model file lacks its calibration.")
        alike = at_least.shape == above.shape == values.shape and at_least.dtype == above.dtype == np.int64
        if not alike or values.ndim != 1 or not values.size or values.dtype != np.float64:
            raise BadBundle("The calibration in the model file has the wrong shape.")
        ordered = bool((np.diff(values) > 0).all() and (at_least > above).all())
        nested = bool((above[:-1] >= at_least[1:]).all() and above[-1] >= 0 and at_least[0] <= rows < 2**53)
        if not (np.isfinite(values).all() and ordered and nested):
            raise BadBundle("The calibration in the model file makes no sense.")
        return cls(values, at_least, above, rows)


def benjamini_hochberg(p_values: Scores, fdr: float) -> float:
    """Find the greatest p-value that is flagged so that the expected share of false alarms is at most `fdr`.

    The greatest p(i) <= fdr * i / m of the m p-values in ascending order; 0 when there is none. It holds for
    conformal p-values (Y. Benjamini, Y. Hochberg 1995; S. Bates, E. Candès, L. Lei, Y. Romano, M. Sesia,
    "Testing for outliers with conformal p-values", 2023).

    >>> benjamini_hochberg(np.array([0.01, 0.5, 0.03, 0.9]), 0.1)
    0.03
    """
    ordered = np.sort(p_values)
    m = len(ordered)
    passing = np.flatnonzero(ordered * m <= fdr * np.arange(1, m + 1))
    return float(ordered[passing[-1]]) if len(passing) else 0.0
