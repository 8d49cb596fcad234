"""Local outlier factor: rows in thinner surroundings than their neighbours are anomalous (Breunig et al.
2000)."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import lof_kernels as kernels
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.gaps import shared_by_gaps
from pynomaly.detection.algorithms.neighbours import Neighbours
from pynomaly.detection.algorithms.occlusion import normal_rows
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.errors import FitFailed

MAX_NEIGHBOURS = 2**28


class LocalOutlierFactor(Algorithm):
    """Local outlier factor (M. Breunig, H.-P. Kriegel, R. Ng, J. Sander, "LOF", SIGMOD 2000), with exact
    neighbours.

    Score: mean reachability density of the row's neighbours over its own, about 1 inside a cluster, larger
    outside. A row that equals a training row leaves one copy of it out, so the score of a training row is
    scikit-learn's `-negative_outlier_factor_`, and of a new row its `-score_samples` with `novelty=True`.
    With fewer than `n_neighbors` + 1 rows, all other rows are the neighbours (said in `notes_`).

    Time: O(n log n) in few columns, up to O(n * n) in many. `contributions` add up to the score, which is
    shared out by the gaps to the nearest normal training rows (see `gaps`).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> bool(LocalOutlierFactor().fit(X).score(np.array([[9.0, 0.0]]))[0] > 2)
    True
    """

    name = "local_outlier_factor"
    out_of_sample_ = True  # no row is its own neighbour

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._k = min(int(self.params["n_neighbors"]), len(X) - 1)
        if self._k < self.params["n_neighbors"]:
            self._note(f"Each row was compared with all {self._k} others, since there are no more.")
        if self._k * len(X) > MAX_NEIGHBOURS:
            raise FitFailed(
                f"{len(X)} rows with {self._k} neighbours each are too large: lower n_neighbors to at most "
                f"{MAX_NEIGHBOURS // len(X)}, or use fewer rows."
            )
        self._scaling = Scaling.fit(X, self.params["scaling"])
        self._build(self._scaling.apply(X))
        distances, indices = self._neighbours.query(
            self._points, self._k, lambda share: progress(0.9 * share)
        )
        self._reach = distances[:, -1].copy()
        self._densities = np.empty(len(X))
        kernels.reach_densities(distances, indices, self._reach, self._densities)
        scores = np.empty(len(X))
        kernels.outlier_factors(indices, self._densities, self._densities, scores)
        self._training_scores = scores
        self._normal = normal_rows(self._points, scores, self.seed)
        progress(1.0)

    def _build(self, points: Matrix) -> None:
        self._points = points
        self._neighbours = Neighbours(points, self.params["metric"], float(self.params["p"]))

    def _score(self, X: Matrix) -> Matrix:
        return self._score_scaled(self._scaling.apply(X))

    def _score_scaled(self, X: Matrix) -> Matrix:
        distances, indices = self._neighbours.query(X, self._k)
        own, scores = np.empty(len(X)), np.empty(len(X))
        kernels.reach_densities(distances, indices, self._reach, own)
        kernels.outlier_factors(indices, self._densities, own, scores)
        return scores

    def _contributions(self, X: Matrix) -> Matrix:
        rows, p = self._scaling.apply(X), float(self.params["p"])
        return shared_by_gaps(self._score_scaled(rows), rows, self._normal, self.params["metric"], p)

    def state(self) -> State:
        """Give the scaled training rows, their neighbours' reach and density, and the scaling."""
        return {
            "points": self._points,
            "reach": self._reach,
            "densities": self._densities,
            "normal": self._normal,
            "k": np.array([self._k]),
            **self._scaling.state(),
        }

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector; the tree on the training rows is built again."""
        lof, stored = cls(seed=seed, **params), Stored(cls.name, state)
        lof._scaling = Scaling.from_state(stored, lof.params["scaling"])
        lof.n_features_ = d = len(lof._scaling.center)
        points = stored.take("points", np.float64, (None, d), -lof._scaling.limit, lof._scaling.limit)
        lof._k = int(stored.take("k", np.int64, (1,), 1, len(points) - 1)[0])
        lof._reach = stored.take("reach", np.float64, (len(points),), 0)
        lof._densities = stored.take("densities", np.float64, (len(points),), 0, 1e10)
        lof._normal = stored.take("normal", np.float64, (None, d), -lof._scaling.limit, lof._scaling.limit)
        lof._build(points)
        return lof
