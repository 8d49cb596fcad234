"""The share of a table's rows that lie far out, whatever an algorithm makes of them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection import catalogue
from pynomaly.detection.algorithms.contract import MemberScores
from pynomaly.detection.features import Matrix
from pynomaly.detection.scoring import Calibration, Scores, benjamini_hochberg
from pynomaly.detection.tail import Tail, cut
from pynomaly.errors import BadBundle, FitFailed, TooFewRows

LOOKED_AT, CELLS = 20_000, 1_000_000
STRICTER = 4
"""What is far out is told at a level so many times lower, since false alarms add up."""

MOST_COLUMNS = 200
"""In more columns the bulk is not sought: it takes O(d**3)."""

FARTHEST = 1e300
LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Outlying:
    """The share of rows that are far out, at each of `LEVELS`: estimated shares of false alarms.

    Scores of some algorithms level off: a row far out hardly scores higher than one at the edge. How far out
    it is does not. Each column's upper and lower tail continues its bulk (see `tail`); a row is as far out as
    its rarest value halves a tail's share. Far out are the rows that are farther out than the tail of these
    numbers lets expect (so many heavy-tailed columns count for little), and whose p-values, by Bonferroni
    over the 2 d tails, Benjamini and Hochberg reject. A tail on whose side a quarter of the rows equals the
    median tells nothing. Far out are also the rows whose distances from the bulk (`elliptic_envelope`) stand
    out; or, to what is made of several detectors, those that stand out by the scores of a member, at the
    level divided by their number. Both ways take a quarter of the level.

    The share is that of the rows with the highest scores, down to the last far-out row for which no more
    than the level of them are not far out.
    """

    shares: tuple[float, ...]

    @classmethod
    def fit(cls, X: Matrix, scores: Scores, members: MemberScores | None = None, seed: int = 0) -> Self:
        """Learn from training rows and their scores, shapes (n, d) and (n,).

        It looks at 20,000 of them at most (1,000,000 values), chosen at random. Time: O(n * d).
        """
        rows = np.arange(len(X)) if members is None else members.rows
        looked_at: slice | NDArray[np.intp] = slice(None)
        if len(rows) > (most := min(LOOKED_AT, max(CELLS // X.shape[1], MOST_COLUMNS))):
            looked_at = np.random.default_rng(seed).choice(len(rows), most, replace=False)
        rows = rows[looked_at]
        table, order = X[rows], np.argsort(-scores[rows], kind="stable")
        halvings = _halvings(table)
        by_member = _from_bulk(table, seed) if members is None else list(members.scores[:, looked_at])

        def share(q: float) -> float:
            far = _far_out(halvings, X.shape[1], q / STRICTER)
            for found in by_member:
                far |= found > cut(Calibration.fit(found), q / STRICTER / len(by_member))
            return _highest_share(far[order], q)

        return cls(tuple(np.maximum.accumulate([share(q) for q in LEVELS]).tolist()))

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


def _from_bulk(X: Matrix, seed: int) -> list[Scores]:
    """Give the distances from the bulk, when there is one to tell."""
    if X.shape[1] > MOST_COLUMNS:
        return []
    try:
        return [catalogue.create("elliptic_envelope", {}, seed).fit(X).training_scores_]
    except (FitFailed, TooFewRows):
        return []


def _highest_share(far: NDArray[np.bool_], q: float) -> float:
    """Find the longest part of rows, from the first on, that ends far out and has at most q that are not."""
    n = len(far)
    enough = np.flatnonzero(far & (np.cumsum(~far) <= q * np.arange(1, n + 1)))
    return (int(enough[-1]) + 1) / n if len(enough) else 0.0


def _far_out(halvings: Scores, columns: int, q: float) -> NDArray[np.bool_]:
    p_values = 2 * columns * np.exp2(-1.0 - halvings)
    expected = cut(Calibration.fit(np.minimum(halvings, FARTHEST)), q)
    return np.asarray((p_values <= benjamini_hochberg(p_values, q)) & (halvings > expected))


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
