"""k nearest neighbours: rows far from their nearest rows are anomalous (Ramaswamy et al. 2000)."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import knn_kernels as kernels
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.crowd_kernels import mean_powers
from pynomaly.detection.algorithms.gaps import shared_by_gaps
from pynomaly.detection.algorithms.neighbours import Neighbours, plain_metric
from pynomaly.detection.algorithms.occlusion import normal_rows
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks

CELLS_AT_ONCE = 4_000_000
"""Distances kept at a time: rows are taken in blocks of so many over k."""

CROWD_POINTS, CROWD_SHARE, CROWD_AT_ONCE = 8_192, 0.02, 1_024
"""Of few points, a neighbourhood of this share or more is found by all distances, without the tree."""


class NeighbourDistances(Algorithm):
    """What scores by the distances to the k nearest training rows have in common."""

    out_of_sample_ = True  # no row is its own neighbour
    _squared: ClassVar[bool]

    @property
    def _metric(self) -> str:
        return str(self.params.get("metric", "euclidean"))

    @property
    def _p(self) -> float:
        return float(self.params.get("p", 2.0))

    def _fit(self, X: Matrix, progress: Progress) -> None:
        asked = self.params["n_neighbors"]
        wanted = max(1, round(asked * len(X))) if asked < 1 else int(asked)
        self._k = min(wanted, len(X) - 1)
        if self._k < wanted:
            self._note(f"Each row was compared with all {self._k} others, since there are no more.")
        self._scaling = Scaling.fit(X, self.params["scaling"])
        self._build(self._scaling.apply(X))
        self._training_scores = self._score_scaled(self._points, progress)
        self._normal = normal_rows(self._points, self._training_scores, self.seed)
        progress(1.0)

    def _build(self, points: Matrix) -> None:
        self._points = points
        self._neighbours = Neighbours(points, self._metric, self._p)
        crowd = len(points) <= CROWD_POINTS and self._k >= CROWD_SHARE * len(points)
        means = plain_metric(self._metric, self._p) == "euclidean" and len(set(self._weights())) == 1
        self._crowd = np.ascontiguousarray(points.T) if crowd and means else None

    def _score(self, X: Matrix) -> Matrix:
        return self._score_scaled(self._scaling.apply(X), None)

    def _score_scaled(self, X: Matrix, progress: Progress | None) -> Matrix:
        scores, weights = np.empty(len(X)), self._weights()
        if self._crowd is not None:
            work = partial(mean_powers, X, self._crowd, self._k, self._squared, scores)
            run_blocks(work, len(X), CROWD_AT_ONCE, progress)
            scores *= weights[0] * self._k
            return scores
        size = max(1, CELLS_AT_ONCE // self._k)
        for begin in range(0, len(X), size):
            distances, _ = self._neighbours.query(X[begin : begin + size], self._k)
            kernels.weigh(distances, weights, self._squared, scores[begin : begin + size])
            if progress:
                progress(min(1.0, (begin + size) / len(X)))
        return scores

    def _contributions(self, X: Matrix) -> Matrix:
        rows = self._scaling.apply(X)
        scores = self._score_scaled(rows, None)
        return shared_by_gaps(scores, rows, self._normal, self._metric, self._p)

    def _weights(self) -> Matrix:
        """How much each neighbour, nearest first, counts: all the same, unless told otherwise."""
        return np.full(self._k, 1 / self._k)

    def state(self) -> State:
        """Give the scaled training rows, some normal ones of them, the number of neighbours, the scaling."""
        return {
            "points": self._points,
            "normal": self._normal,
            "k": np.array([self._k]),
            **self._scaling.state(),
        }

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector; the tree on the training rows is built again."""
        made, stored = cls(seed=seed, **params), Stored(cls.name, state)
        made._scaling = scaling = Scaling.from_state(stored, made.params["scaling"])
        made.n_features_ = d = len(scaling.center)
        points = stored.take("points", np.float64, (None, d), -scaling.limit, scaling.limit)
        made._normal = stored.take("normal", np.float64, (None, d), -scaling.limit, scaling.limit)
        made._k = int(stored.take("k", np.int64, (1,), 1, len(points) - 1)[0])
        made._build(points)
        return made


class KNearestNeighbors(NeighbourDistances):
    """Distance to the nearest training rows (S. Ramaswamy, R. Rastogi, K. Shim, "Efficient algorithms for
    mining outliers from large data sets", SIGMOD 2000; mean: F. Angiulli, C. Pizzuti, "Fast outlier
    detection in high dimensional spaces", PKDD 2002), exact.

    Score: the distance to the `n_neighbors`-th nearest training row ("largest"), or the mean or median of the
    distances to the `n_neighbors` nearest, in scaled units. A row that equals a training row leaves one copy
    of it out, so a training row is not its own neighbour. With fewer rows, all others are the neighbours
    (said in `notes_`).

    Time: O(n log n) in few columns, up to O(n * n) in many. `contributions` add up to the score, which is
    shared out by the gaps to the nearest normal training rows (see `gaps`).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> knn = KNearestNeighbors().fit(X)
    >>> bool(knn.score(np.array([[9.0, 0.0]]))[0] > 3)
    True
    """

    name = "knn"
    _squared = False

    def _weights(self) -> Matrix:
        k, weights = self._k, np.zeros(self._k)
        if self.params["method"] == "mean":
            return super()._weights()
        if self.params["method"] == "largest":
            weights[-1] = 1
        else:
            weights[(k - 1) // 2] += 0.5
            weights[k // 2] += 0.5
        return weights
