"""COPOD: rows far out in the tail to which a column is skewed are anomalous (Li et al. 2020)."""

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix
from pynomaly.detection.algorithms.ecod import ECOD
from pynomaly.detection.algorithms.tail_kernels import third_moment

CHANCE = 2 * 1.84
"""Two standard errors of a normal sample's quartile skewness, times the root of its size."""


class COPOD(ECOD):
    """Copula-based outlier detection (Z. Li, Y. Zhao, N. Botta, C. Ionescu, X. Hu, "COPOD", ICDM 2020).

    Score, in nats: the sum over columns of the greater of two terms: -log of the tail to which the column is
    skewed, and the mean of -log of both tails. The sign of the third moment says which tail that is. Two
    cases take the smaller tail instead: a column whose quartiles are not skewed either, chance considered
    (a few far rows make the moment what it is), and a value beyond all training values. Tails are those of
    `ECOD`, of the training values alone: a score never depends on the rows scored with it.

    `contributions` are exact: the columns' terms, which add up to the score. Time and memory: as `ECOD`.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).exponential(size=(500, 3))
    >>> copod = COPOD().fit(X)
    >>> int(copod.contributions(np.array([[0.5, 9.0, 0.5]])).argmax())
    1
    """

    name = "copod"

    @staticmethod
    def _parts(left: Matrix, right: Matrix, column: Matrix) -> Matrix:
        """Take the tail to which the column is skewed, or the mean of both; outside the range, the tail."""
        side = skewed_to(column)
        skewed = np.maximum(left, right) if side == 0 else left if side < 0 else right
        parts = np.maximum(skewed, (left + right) / 2)
        parts[0], parts[-1] = left[0], right[-1]
        return parts


def skewed_to(column: Matrix) -> int:
    """Say where a sorted column's long tail is: -1 left, 1 right, 0 nowhere.

    >>> import numpy as np
    >>> skewed_to(np.arange(100.0)), skewed_to(np.arange(100.0) ** 3), skewed_to(-np.arange(99.0, 0, -1) ** 3)
    (0, 1, -1)
    """
    n = len(column)
    low, middle, high = (column[int(share * (n - 1))] / 4 for share in (0.25, 0.5, 0.75))
    if abs(high + low - 2 * middle) <= min(1.0, CHANCE / np.sqrt(n)) * (high - low):
        return 0
    return int(np.sign(third_moment(column, max(-column[0], column[-1]))))
