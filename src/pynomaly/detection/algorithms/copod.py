"""COPOD: rows far out in the tail to which a column is skewed are anomalous (Li et al. 2020)."""

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix
from pynomaly.detection.algorithms.ecod import ECOD


class COPOD(ECOD):
    """Copula-based outlier detection (Z. Li, Y. Zhao, N. Botta, C. Ionescu, X. Hu, "COPOD", ICDM 2020).

    Score, in nats: the sum over columns of the greater of two terms: -log of the tail to which the column is
    skewed (both tails when it is not skewed at all), and the mean of -log of both tails. Tails are those of
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
    def _parts(left: Matrix, right: Matrix, skewness: float) -> Matrix:
        """Take the tail to which the column is skewed, or the mean of both."""
        skewed = left + right if skewness == 0 else left if skewness < 0 else right
        return np.maximum(skewed, (left + right) / 2)
