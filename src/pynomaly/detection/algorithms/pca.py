"""Principal components: rows far from the centre along components that vary little are anomalous (Shyu et
al. 2003)."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.elliptic_kernels import distance_shares
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks

FLATTEST = 1e-6
SCORED_AT_ONCE = 8192


class PCA(Algorithm):
    """Principal component classifier (M.-L. Shyu, S.-C. Chen, K. Sarinnapakorn, L. Chang, "A novel anomaly
    detection scheme based on principal component classifier", ICDM workshops 2003).

    Score: the sum over components of y^2 / v, where y is the row's coordinate along the component, and v the
    variance along it in training, shrunk towards the mean of all components: v = (1 - `shrinkage`) * own +
    `shrinkage` * mean. With `shrinkage` 0 and all components it is the squared Mahalanobis distance (a
    component without variance counts as one with a millionth of the mean), with 1 the squared distance from
    the centre. `components` takes all, only the major ones (the first that hold `variance` of the whole
    variance), or only the minor ones (the others; the last one if there is none).

    `contributions` are exact: column j has g_j * (P g)_j, with g the gap from the centre and P the matrix of
    the sum above. They add up to the score. Time: O(n * d * d + d^3) to fit, O(d * d) for each row.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> pca = PCA().fit(X)
    >>> int(pca.contributions(np.array([[0.0, 6.0, 0.0]])).argmax())
    1
    """

    name = "pca"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = self._scaling.apply(X)
        progress(0.2)
        largest = max(float(np.abs(scaled).max()), 1.0)
        self._center = (scaled / largest).mean(axis=0) * largest
        gaps = scaled - self._center
        variances, directions = np.linalg.eigh(gaps.T @ gaps / len(X))
        del gaps
        self._matrix = np.ascontiguousarray(self._weigh(np.maximum(variances, 0.0), directions))
        progress(0.6)
        self._training_scores = self._score_blocks(scaled)
        progress(1.0)

    def _weigh(self, variances: Matrix, directions: Matrix) -> Matrix:
        """Give the matrix of the score from variances, least first, and their directions, (d, d)."""
        mean, shrinkage = float(variances.mean()) or 1.0, float(self.params["shrinkage"])
        weights = 1.0 / np.maximum((1 - shrinkage) * variances + shrinkage * mean, FLATTEST * mean)
        first = self._major(variances)
        if self.params["components"] == "major":
            weights[:first] = 0.0
        elif self.params["components"] == "minor":
            weights[max(first, 1) :] = 0.0
        return np.asarray((directions * weights) @ directions.T)

    def _major(self, variances: Matrix) -> int:
        """Count the components that are not needed to hold `variance` of the whole variance."""
        beyond = np.cumsum(variances) / (variances.sum() or 1.0)  # the share without the later components
        return int(min((beyond <= 1 - float(self.params["variance"])).sum(), len(variances) - 1))

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(self._scaling.apply(X))

    def _score_blocks(self, X: Matrix, shares: Matrix | None = None) -> Matrix:
        totals = np.empty(len(X))
        shares = np.empty((0, 0)) if shares is None else shares

        def work(begin: int, end: int) -> None:
            distance_shares(X, self._center, self._matrix, shares, totals, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE)
        return totals

    def _contributions(self, X: Matrix) -> Matrix:
        shares = np.empty(X.shape)
        self._score_blocks(self._scaling.apply(X), shares)
        return shares

    def state(self) -> State:
        """Give the centre and the matrix of the score in scaled units, and the scaling."""
        return {"location": self._center, "matrix": self._matrix, **self._scaling.state()}

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        pca, stored = cls(seed=seed, **params), Stored(cls.name, state)
        pca._scaling = Scaling.from_state(stored, pca.params["scaling"])
        pca.n_features_ = d = len(pca._scaling.center)
        pca._center = stored.take("location", np.float64, (d,))
        pca._matrix = stored.take("matrix", np.float64, (d, d))
        return pca
