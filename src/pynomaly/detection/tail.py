"""How far normal values would reach, told from the bulk of values that may hold anomalies."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from pynomaly.detection.scoring import Calibration, Scores

LIGHTEST, HEAVIEST = 1.3, 0.4
"""Bounds of the tail's bend: about a normal's, and that of a log-normal's far tail."""

MISFIT = 0.2
"""By so much the ratio is raised: in many rows the error of the shape counts, not that of the estimate."""

POINTS = (0.5, 0.75, 0.875)
"""The quantiles that a tail goes through."""

MOST_TIED = 0.05
"""Share of the rows that may have the score of one of them."""

RARE = 0.02
"""Share of the rows that stand out by rarity alone, where there is no tail."""

ONE_STANDARD_ERROR = 3.5
"""Of the ratio of two quartile gaps of n exponential scores, relative, times sqrt(n)."""


@dataclass(frozen=True)
class Tail:
    """A Weibull tail through the scores' quartiles: P(S > s) = 2 ** -(1 + ((s - middle) / unit) ** bend).

    `bend` is 1 for an exponential tail, higher for lighter ones.

    >>> Tail(0.0, 1.0, 1.0).p_values(np.array([0.0, 1.0, 3.0])).tolist()
    [0.5, 0.25, 0.0625]
    """

    middle: float
    unit: float
    bend: float

    @classmethod
    def fit(cls, middle: float, upper: float, octile: float, rows: int) -> Self | None:
        """Fit to the median, upper quartile and upper octile of n rows; None when the first two are equal.

        Up to an eighth of the rows may be anomalies before they pass any of the three. The tail is taken to
        be heavier than it looks, by one standard error and what such tails differ from a Weibull's.
        """
        unit = upper - middle
        if not 0 < unit < math.inf:
            return None
        ratio = (octile - upper) / unit * (1 + MISFIT + ONE_STANDARD_ERROR / math.sqrt(rows))
        bend = math.log(2) / math.log1p(ratio) if ratio > 0 else LIGHTEST
        return cls(middle, unit, min(max(bend, HEAVIEST), LIGHTEST))

    def halvings(self, values: Scores) -> Scores:
        """Count how often the share of normal values above is halved from the median to each value."""
        with np.errstate(over="ignore"):
            return np.asarray((np.maximum(values - self.middle, 0.0) / self.unit) ** self.bend)

    def p_values(self, values: Scores) -> Scores:
        """Estimate the share of normal values that lie higher; 1/2 for values up to the median."""
        return np.asarray(np.exp2(-1.0 - self.halvings(values)))

    def score(self, p: float) -> float:
        """Find the score that a share p < 1/2 of normal rows exceed."""
        return self.middle + self.unit * math.pow(math.log2(0.5 / p), 1 / self.bend)


def is_tied(scores: Calibration) -> bool:
    """Tell whether so many rows have the score of a quartile or octile that steps say nothing of a tail."""
    return max(scores.tied(scores.quantile(share)) for share in POINTS) > MOST_TIED * scores.rows


def rarest(scores: Calibration) -> float:
    """Find the score above which at most 2 % of the rows are, or one row."""
    return scores.highest_but(max(1, int(RARE * scores.rows)))


def cut(scores: Calibration, fdr: float) -> float:
    """Find the score above which a share `fdr` of the rows is estimated to be normal.

    The lowest score t with n P(S > t) <= fdr * (rows that score at least t), as Benjamini and Hochberg (1995)
    choose it, P by the tail that continues the bulk (an empirical null; Efron 2004). Where no row is that far
    out, the score at which one alone would be. Where the bulk is of tied scores, which have no tail to
    continue, the highest-scored rows are that far out as long as they are at most 2 % of all (or
    one row).
    """
    middle, upper, octile = (scores.quantile(share) for share in POINTS)
    tail = Tail.fit(middle, upper, octile, scores.rows)
    if tail is None or is_tied(scores):
        return rarest(scores)
    n, values = scores.rows, scores.values
    enough = np.flatnonzero(n * tail.p_values(values) <= fdr * scores.at_least)
    enough = enough[values[enough] > tail.middle]
    if not len(enough):
        return tail.score(fdr / n)
    first = int(enough[0])
    lowest = tail.score(fdr * float(scores.at_least[first]) / n)
    below = float(values[first - 1])
    return max(below, min(lowest, math.nextafter(float(values[first]), -math.inf)))
