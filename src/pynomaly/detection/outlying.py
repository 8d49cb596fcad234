"""The share of a table's rows that lie far out in a column, whatever an algorithm makes of them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pynomaly.detection.features import Matrix
from pynomaly.detection.scoring import Calibration, Scores, benjamini_hochberg
from pynomaly.detection.tail import Tail, cut
from pynomaly.errors import BadBundle

LOOKED_AT = 50_000
FARTHEST = 1e300
LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Outlying:
    """The share of rows that are far out in a column, at each of `LEVELS`: estimated shares of false alarms.

    Scores of some algorithms level off: a row far out hardly scores higher than one at the edge. How far out
    it is does not. Each column's upper and lower tail continues its bulk (see `tail`); a row is as far out as
    its rarest value halves a tail's share. Counted are the rows that are farther out than the tail of these
    numbers lets expect (so many heavy-tailed columns count for little), and whose p-values, by Bonferroni
    over the 2 d tails, Benjamini and Hochberg reject. A tail on whose side a quarter of the rows equals the
    median tells nothing.
    """

    shares: tuple[float, ...]

    @classmethod
    def fit(cls, X: Matrix, seed: int = 0) -> Self:
        """Look at the rows of `X`, shape (n, d), at most 50,000 of them, chosen at random. Time: O(n * d)."""
        if len(X) > LOOKED_AT:
            X = X[np.random.default_rng(seed).choice(len(X), LOOKED_AT, replace=False)]
        halvings = _halvings(X)
        far = Calibration.fit(np.minimum(halvings, FARTHEST))
        p_values = 2 * X.shape[1] * np.exp2(-1.0 - halvings)
        return cls(
            tuple(
                float(((p_values <= benjamini_hochberg(p_values, q)) & (halvings > cut(far, q))).mean())
                for q in LEVELS
            )
        )

    def share(self, fdr: float) -> float:
        """Give the share of rows that are far out, at the next lower of `LEVELS`."""
        return max((share for q, share in zip(LEVELS, self.shares, strict=True) if q <= fdr), default=0.0)

    @classmethod
    def from_json(cls, shares: Any) -> Self:
        """Take the list of `shares` back; raises BadBundle when it makes no sense."""
        if not isinstance(shares, list) or len(shares) != len(LEVELS):
            raise BadBundle("The model file lacks its shares of outlying rows.")
        if not all(type(share) is float and 0 <= share <= 1 for share in shares):
            raise BadBundle("The model file's shares of outlying rows make no sense.")
        return cls(tuple(shares))


def _halvings(X: Matrix) -> Scores:
    """Count for each row how often the rarest of its values halves the share of its column's tail."""
    n = len(X)
    halvings = np.zeros(n)
    for column in X.T / 4:  # a quarter, so that no difference overflows
        low, lower, middle, upper, high = np.quantile(column, [0.125, 0.25, 0.5, 0.75, 0.875]).tolist()
        for values, three in ((column, (middle, upper, high)), (-column, (-middle, -lower, -low))):
            if tail := Tail.fit(*three, n):
                np.maximum(halvings, tail.halvings(values), out=halvings)
    return halvings
