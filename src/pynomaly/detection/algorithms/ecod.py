"""ECOD: rows far out in a tail, column by column, are anomalous (Li et al. 2022)."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.tails import Tails


class ECOD(Algorithm):
    """Empirical cumulative distribution outlier detection (Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu, G.
    Chen, "ECOD", IEEE TKDE 2022), in the form that takes each column's smaller tail.

    Score, in nats: the sum over columns of -log of the share of training values that are at least as far
    out, on the side where they are fewer. Beyond all training values the share is half a row's. The
    training values alone count, so a score never depends on the rows scored with it. Above 4,096 training
    rows, values of the bulk are thinned out: tails are then exact to 0.4 %, those of up to 256 rows exactly.
    Columns are taken as independent: a row whose values are usual one by one is not found.

    `contributions` are exact: the columns' terms, which add up to the score. Time: O(d * n log n) to fit,
    O(d) for each row; no copy of the data is made but one column per thread.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> ecod = ECOD().fit(X)
    >>> int(ecod.contributions(np.array([[0.0, 6.0, 0.0]])).argmax())
    1
    """

    name = "ecod"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._tails = Tails.fit(X, self._parts, lambda share: progress(0.6 * share))
        self._training_scores = self._tails.score(X)
        progress(1.0)

    @staticmethod
    def _parts(left: Matrix, right: Matrix, _column: Matrix) -> Matrix:
        """Take the smaller tail."""
        return np.maximum(left, right)

    def _score(self, X: Matrix) -> Matrix:
        return self._tails.score(X)

    def _contributions(self, X: Matrix) -> Matrix:
        return self._tails.shares(X)

    def state(self) -> State:
        """Give each column's kept values and the score's terms at and between them."""
        return self._tails.state()

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        trained = cls(seed=seed, **params)
        trained._tails = Tails.from_state(Stored(cls.name, state))
        trained.n_features_ = len(trained._tails.counts)
        return trained
