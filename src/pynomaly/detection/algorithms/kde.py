"""Kernel density: rows where the training rows lie thinly are anomalous (Parzen 1962)."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State, read_only
from pynomaly.detection.algorithms.kde_kernels import log_sums
from pynomaly.detection.algorithms.occlusion import normal_rows, occlude
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.detection.parameters import rows_meant

AUTO_ROWS = 5_000
AUTO_WIDTH = 1.5
SCORED_AT_ONCE = 256
LEAST_BANDWIDTH, MOST_BANDWIDTH = 1e-6, 1e9


class KDE(Algorithm):
    """Kernel density estimate with a Gaussian kernel (E. Parzen, 1962).

    Score, in nats: minus the log-density of the scaled row. `bandwidth` is in scaled units: a number, or
    Scott's rule n^(-1/(d + 4)), Silverman's rule (n (d + 2) / 4)^(-1/(d + 4)), or "auto", 1.5 times Scott's:
    the rules are meant for the bulk and leave tails rough. Scott's own is better when the training data are
    clean, twice Scott's when they are not, since a few anomalies that are alike must not shelter one another.
    A row that equals a training row leaves one copy of it out, so no training row is its own neighbour. With
    more rows than `max_samples`, the density is that of a random sample, as `notes_` then says.

    `contributions` are occlusions against the nearest normal rows (see `occlusion`). Time: O(max_samples * d)
    for each row.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> kde = KDE().fit(X)
    >>> kde.score(np.array([[0.0, 0.0], [3.0, 3.0], [9.0, 9.0]])).argsort().tolist()
    [0, 1, 2]
    """

    name = "kde"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        n, d = X.shape
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = sample = self._scaling.apply(X)
        size = max(2, rows_meant(self.params["max_samples"], n, AUTO_ROWS))
        if size < n:
            self._note(f"The density is that of a random sample of {size} of the {n} rows.")
            sample = scaled[np.sort(np.random.default_rng(self.seed).choice(n, size, replace=False))]
        bandwidth = self._width(len(sample), d)
        self._take(bandwidth, np.ascontiguousarray(sample.T) * (1.0 / bandwidth))
        self._training_scores = self._score_scaled(scaled, progress)
        self._normal = normal_rows(scaled, self._training_scores, self.seed)
        progress(1.0)

    def _width(self, n: int, d: int) -> float:
        asked = self.params["bandwidth"]
        if not isinstance(asked, str):
            return float(asked)
        rows = n * (d + 2) / 4 if asked == "silverman" else n
        return float(rows ** (-1 / (d + 4)) * (AUTO_WIDTH if asked == "auto" else 1.0))

    def _take(self, bandwidth: float, points: Matrix) -> None:
        self._bandwidth, self._points = bandwidth, points
        d, n = points.shape
        self._constant = np.log(n) + d * np.log(bandwidth * np.sqrt(2 * np.pi))

    def _score(self, X: Matrix) -> Matrix:
        return self._score_scaled(self._scaling.apply(X))

    def _score_scaled(self, X: Matrix, progress: Progress | None = None) -> Matrix:
        sums, inverse, X = np.empty(len(X)), 1.0 / self._bandwidth, read_only(X)

        def work(begin: int, end: int) -> None:
            log_sums(X, self._points, inverse, sums, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE, progress)
        return np.asarray(self._constant - sums)

    def _contributions(self, X: Matrix) -> Matrix:
        return occlude(self._score_scaled, self._scaling.apply(X), self._normal)

    def state(self) -> State:
        """Give the bandwidth, the points in its units, some normal rows, and the scaling."""
        return {
            "bandwidth": np.array([self._bandwidth]),
            "points": self._points,
            "normal": self._normal,
            **self._scaling.state(),
        }

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        kde, stored = cls(seed=seed, **params), Stored(cls.name, state)
        kde._scaling = Scaling.from_state(stored, kde.params["scaling"])
        kde.n_features_ = d = len(kde._scaling.center)
        limit = kde._scaling.limit
        bandwidth = stored.take("bandwidth", np.float64, (1,), LEAST_BANDWIDTH, MOST_BANDWIDTH)[0]
        points = stored.take(
            "points", np.float64, (d, None), -limit / LEAST_BANDWIDTH, limit / LEAST_BANDWIDTH
        )
        kde._take(float(bandwidth), points)
        kde._normal = stored.take("normal", np.float64, (None, d), -limit, limit)
        return kde
