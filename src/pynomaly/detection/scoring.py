"""What a score means: p-values against the training rows, and the threshold that makes a row an anomaly.

A score is a function of the model and the row alone; both numbers here come from the training scores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pynomaly.errors import BadBundle, BadParameter, FitFailed

Scores = NDArray[np.float64]
Counts = NDArray[np.int64]
Contamination = float | Literal["auto"]

EXACT_MOST = 100_000
"""Up to this many training scores are all kept."""

TAIL_KEPT = 20_000
"""Of more, the highest are all kept …"""

BODY_KEPT = 20_000
"""… and this many of the others, evenly spaced by rank."""

AUTO_MOST = 0.10
"""Largest share of the training rows that contamination "auto" flags."""


@dataclass(frozen=True)
class Calibration:
    """The training scores' distribution: `values` ascending; for each, how many scores are >= and > it.

    Exact for up to `EXACT_MOST` training rows, and above that for the `TAIL_KEPT` highest scores. Between two
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

        Never 0: a score above all training scores has 1 / (n + 1) (Davison & Hinkley, 1997, section 4.2).
        """
        place = np.searchsorted(self.values, scores, side="left")
        kept = self.values[np.minimum(place, len(self.values) - 1)] == scores
        between = np.append(self.rows, self.above)[place]
        counts = np.where(kept, np.append(self.at_least, 0)[place], between)
        return np.asarray((1.0 + counts) / (self.rows + 1.0))

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


def check_contamination(value: Any) -> Contamination:
    """Give "auto" or a share of rows in (0, 0.5]; raises BadParameter for anything else."""
    if isinstance(value, str) and value == "auto":
        return "auto"
    if isinstance(value, int | float | np.floating) and not isinstance(value, bool) and 0 < value <= 0.5:
        return float(value)
    raise BadParameter(
        f'contamination must be "auto" or a number above 0 and at most 0.5, not {value!r}.',
        parameter="contamination",
    )


def threshold(scores: Scores, contamination: Contamination) -> float:
    """Find the score above which (strictly) a row is an anomaly, from the training scores, shape (n,).

    A share c gives the (1 - c) quantile, as scikit-learn's `offset_` does: about c of the training rows are
    flagged; rows tied with the threshold are not. "auto" gives the semi-interquartile fence for skewed data
    Q3 + 3 (Q3 - Q2) (Kimber, 1990, Applied Statistics 39), raised where needed so that at most `AUTO_MOST`
    of the training rows are flagged (of fewer than 10, none); it flags none when no score stands out.
    """
    if contamination != "auto":
        return float(np.quantile(scores, 1.0 - contamination))
    middle, upper = np.quantile(scores, [0.5, 0.75])
    first_spared = len(scores) - 1 - int(AUTO_MOST * len(scores))
    return float(max(upper + 3.0 * (upper - middle), np.partition(scores, first_spared)[first_spared]))
