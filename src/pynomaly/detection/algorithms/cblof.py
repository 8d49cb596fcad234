"""CBLOF: rows far from the centres of the large clusters are anomalous."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.cluster_kernels import center_distances
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State, read_only
from pynomaly.detection.algorithms.k_means import count_nearest, k_means
from pynomaly.detection.algorithms.kernels import Ints
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.detection.parameters import rows_meant

AUTO_ROWS = 50_000
RUNS = 3
SCORED_AT_ONCE = 8_192


class CBLOF(Algorithm):
    """Cluster-based local outlier factor (Z. He, X. Xu, S. Deng, "Discovering cluster-based local outliers",
    2003), without the cluster's size as a weight.

    Rows are clustered by k-means on the scaled columns, by default standardised ones: in robust units, a
    column with heavy tails would decide all distances. Clusters, greatest first, are large up to the first
    where they hold a share `alpha` of the rows, or where the next is `beta` times smaller. Score: the
    distance from the centre of the row's cluster or, if that is small, from the nearest centre of a large
    one, in scaled units.

    Said in `notes_`: with more rows than `max_samples` the centres come from a random sample of so many;
    with fewer different rows than `n_clusters` there are fewer clusters.

    `contributions` are exact: column j has (x - c)_j ** 2 / score, which add up to the score. Time: O(steps *
    n * d * k) to fit, O(d * k) for each row.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> detector = CBLOF(n_clusters=3).fit(X)
    >>> int(detector.contributions(np.array([[0.0, 9.0]])).argmax())
    1
    """

    name = "cblof"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = sample = self._scaling.apply(X)
        generator = np.random.default_rng(self.seed)
        size = max(2, rows_meant(self.params["max_samples"], len(X), AUTO_ROWS))
        if size < len(X):
            self._note(f"Clusters were found on a random sample of {size} of the {len(X)} rows.")
            sample = read_only(scaled[generator.choice(len(X), size, replace=False)])
        asked = int(self.params["n_clusters"])
        limit = self._scaling.limit
        self._centers = np.clip(k_means(sample, min(asked, len(sample)), RUNS, generator), -limit, limit)
        if self._centers.shape[1] < asked:
            self._note(f"There are {self._centers.shape[1]} clusters instead of {asked}: rows are too alike.")
        progress(0.6)
        self._small = self._find_small(count_nearest(scaled, self._centers))
        progress(0.8)
        self._training_scores = self._score_blocks(scaled)
        progress(1.0)

    def _find_small(self, counts: Ints) -> Ints:
        """Mark the small clusters with 1."""
        order = np.argsort(-counts, kind="stable")
        sizes = counts[order]
        enough = np.cumsum(sizes) >= self.params["alpha"] * sizes.sum()
        drop = sizes[:-1] >= self.params["beta"] * sizes[1:]
        last = int(np.argmax(enough | np.append(drop, True)))
        small = np.ones(len(counts), np.int64)
        small[order[: last + 1]] = 0
        return small

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(self._scaling.apply(X))

    def _score_blocks(self, X: Matrix, shares: Matrix | None = None) -> Matrix:
        out = np.empty(len(X))
        shares = np.empty((0, 0)) if shares is None else shares

        def work(begin: int, end: int) -> None:
            center_distances(X, self._centers, self._small, shares, out, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE)
        return out

    def _contributions(self, X: Matrix) -> Matrix:
        shares = np.empty(X.shape)
        self._score_blocks(self._scaling.apply(X), shares)
        return shares

    def state(self) -> State:
        """Give the centres, shape (d, k), which of them are small, and the scaling."""
        return {"centers": self._centers, "small": self._small, **self._scaling.state()}

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        detector, stored = cls(seed=seed, **params), Stored(cls.name, state)
        detector._scaling = Scaling.from_state(stored, detector.params["scaling"])
        detector.n_features_ = d = len(detector._scaling.center)
        limit = detector._scaling.limit
        detector._centers = stored.take("centers", np.float64, (d, None), -limit, limit)
        detector._small = stored.take("small", np.int64, detector._centers.shape[1:], 0, 1)
        if detector._small.all():
            raise stored.bad("small", "leaves no large cluster")
        return detector
