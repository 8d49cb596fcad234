"""How far scores of normal rows would reach, told from the bulk of a table that may hold anomalies."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from pynomaly.detection.features import Matrix
from pynomaly.detection.scoring import Calibration, Scores

LIGHTEST, HEAVIEST = 1.3, 0.4
"""Bounds of the tail's bend: about a normal's, and that of a log-normal's far tail."""

LOOKED_AT = 50_000
FARTHEST = 1e300

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
    def fit(cls, scores: Calibration) -> Self | None:
        """Fit to the median, the upper quartile and the upper octile; None when the first two are equal.

        Up to an eighth of the rows may be anomalies before they pass any of the three. The tail is taken to
        be heavier by one standard error than it looks.
        """
        middle, upper, octile = (scores.quantile(share) for share in (0.5, 0.75, 0.875))
        unit = upper - middle
        if not unit > 0:
            return None
        ratio = (octile - upper) / unit * (1 + ONE_STANDARD_ERROR / math.sqrt(scores.rows))
        bend = math.log(2) / math.log1p(ratio) if ratio > 0 else LIGHTEST
        return cls(middle, unit, min(max(bend, HEAVIEST), LIGHTEST))

    def p_values(self, scores: Scores) -> Scores:
        """Estimate the share of normal rows that score higher; 1/2 for scores up to the median."""
        reach = np.maximum(scores - self.middle, 0.0) / self.unit
        with np.errstate(over="ignore"):
            return np.asarray(0.5 * np.exp2(-(reach**self.bend)))

    def score(self, p: float) -> float:
        """Find the score that a share p < 1/2 of normal rows exceed."""
        return self.middle + self.unit * math.pow(math.log2(0.5 / p), 1 / self.bend)


def cut(scores: Calibration, fdr: float) -> float:
    """Find the score above which a share `fdr` of the rows is estimated to be normal.

    The lowest score t with n P(S > t) <= fdr * (rows that score at least t), as Benjamini and Hochberg (1995)
    choose it, P by the tail that continues the bulk (an empirical null; Efron 2004). Where no row is that far
    out, the score at which one alone would be. Where more than half of the rows score alike, that score.
    """
    tail = Tail.fit(scores)
    if tail is None:
        return scores.quantile(0.75)
    n, values = scores.rows, scores.values
    enough = np.flatnonzero(n * tail.p_values(values) <= fdr * scores.at_least)
    enough = enough[values[enough] > tail.middle]
    if not len(enough):
        return tail.score(fdr / n)
    first = int(enough[0])
    lowest = tail.score(fdr * float(scores.at_least[first]) / n)
    below = float(values[first - 1])
    return max(below, min(lowest, math.nextafter(float(values[first]), -math.inf)))


def outlying_share(X: Matrix, fdr: float, seed: int = 0) -> float:
    """Estimate the share of rows, shape (n, d), that lie far out in a column; from at most 50,000 of them.

    Scores of some algorithms level off, so that a row far out hardly scores higher than one at the edge. How
    far a row is out does not: the greatest over the columns of its distance from the median, in units of the
    quartile's on its side. Columns of which a quarter equals the median tell nothing on that side.
    """
    if len(X) > LOOKED_AT:
        X = X[np.random.default_rng(seed).choice(len(X), LOOKED_AT, replace=False)]
    farthest = np.zeros(len(X))
    with np.errstate(over="ignore"):
        for column in X.T:
            lower, middle, upper = np.quantile(column, [0.25, 0.5, 0.75])
            for far, unit in ((column - middle, upper - middle), (middle - column, middle - lower)):
                if 0 < unit < math.inf:
                    np.maximum(farthest, far / unit, out=farthest)
    distances = Calibration.fit(np.minimum(farthest, FARTHEST))
    return distances.share_above(cut(distances, fdr)) if farthest.any() else 0.0
