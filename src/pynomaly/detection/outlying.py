"""The share of a table's rows that lie far out in a column, whatever an algorithm makes of them."""

import numpy as np

from pynomaly.detection.features import Matrix
from pynomaly.detection.scoring import Calibration
from pynomaly.detection.tail import Tail, cut
from pynomaly.detection.thresholds import benjamini_hochberg

LOOKED_AT = 50_000
FARTHEST = 1e300


def outlying_share(X: Matrix, fdr: float, seed: int = 0) -> float:
    """Estimate the share of rows, shape (n, d), that are far out in a column; from at most 50,000 of them.

    Scores of some algorithms level off: a row far out hardly scores higher than one at the edge. How far out
    it is does not. Each column's upper and lower tail continues its bulk (see `tail`); a row is as far out as
    its rarest value halves a tail's share. Counted are the rows that are farther out than the tail of these
    numbers lets expect (so many heavy-tailed columns count for little), and whose p-values, by Bonferroni
    over the 2 d tails, Benjamini and Hochberg reject. A tail on whose side a quarter of the rows equals the
    median tells nothing. Time: O(n * d).
    """
    if len(X) > LOOKED_AT:
        X = X[np.random.default_rng(seed).choice(len(X), LOOKED_AT, replace=False)]
    n, d = X.shape
    halvings = np.zeros(n)
    for column in X.T:
        low, lower, middle, upper, high = np.quantile(column, [0.125, 0.25, 0.5, 0.75, 0.875]).tolist()
        for values, three in ((column, (middle, upper, high)), (-column, (-middle, -lower, -low))):
            if tail := Tail.fit(*three, n):
                np.maximum(halvings, tail.halvings(values), out=halvings)
    far = Calibration.fit(np.minimum(halvings, FARTHEST))
    p_values = 2 * d * np.exp2(-1.0 - halvings)
    rejected = p_values <= benjamini_hochberg(p_values, fdr)
    return float((rejected & (halvings > cut(far, fdr))).mean())
