"""INNE: rows outside the hyperspheres around a few random rows, or in large ones, are anomalous."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State, read_only
from pynomaly.detection.algorithms.inne_kernels import make_spheres, mean_isolation
from pynomaly.detection.algorithms.occlusion import normal_rows, occlude
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks

SCORED_AT_ONCE = 4_096
ENSEMBLES_AT_ONCE = 32


class INNE(Algorithm):
    """Isolation by nearest-neighbour ensembles (T. R. Bandaragoda et al., "Isolation-based anomaly detection
    using nearest-neighbor ensembles", 2018).

    Each of `n_estimators` ensembles is `max_samples` random rows, each with a hypersphere that reaches to the
    nearest other one. A row's isolation is 1 outside all of them; else, by the smallest sphere it lies in,
    1 less the squared radius of the nearest other row's sphere over its own (squared, as in PyOD; the paper
    has plain radii, which were a little less accurate on real sets). Score: the mean, from 0 to 1. Distances
    are taken on scaled columns.

    Said in `notes_`: with fewer rows than `max_samples` each ensemble is all of them.

    `contributions` are occlusions against the nearest normal training rows (see `occlusion`). Time:
    O(n_estimators * max_samples * d) for each row; fitting takes less.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> float(INNE().fit(X).score(np.array([[9.0, 0.0]]))[0])
    1.0
    """

    name = "inne"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = self._scaling.apply(X)
        size, ensembles = int(self.params["max_samples"]), int(self.params["n_estimators"])
        if size > len(X):
            self._note(f"Each ensemble is all {len(X)} rows, since there are not max_samples={size}.")
            size = len(X)
        generator = np.random.default_rng(self.seed)
        rows = [scaled[generator.choice(len(X), size, replace=False)].T for _ in range(ensembles)]
        self._centers = np.ascontiguousarray(np.stack(rows))
        self._radii, self._isolation = np.empty((ensembles, size)), np.empty((ensembles, size))

        def work(begin: int, end: int) -> None:
            make_spheres(self._centers, self._radii, self._isolation, begin, end)

        run_blocks(work, ensembles, ENSEMBLES_AT_ONCE)
        progress(0.1)
        self._training_scores = self._score_blocks(scaled, progress)
        self._normal = normal_rows(scaled, self._training_scores, self.seed)

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(self._scaling.apply(X))

    def _score_blocks(self, X: Matrix, progress: Progress | None = None) -> Matrix:
        out, X = np.empty(len(X)), read_only(X)

        def work(begin: int, end: int) -> None:
            mean_isolation(X, self._centers, self._radii, self._isolation, out, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE, progress, 0.1)
        return out

    def _contributions(self, X: Matrix) -> Matrix:
        return occlude(self._score_blocks, self._scaling.apply(X), self._normal)

    def state(self) -> State:
        """Give the spheres' centres, squared radii and isolation, normal rows to explain by, and scaling."""
        return {
            "centers": self._centers,
            "radii": self._radii,
            "isolation": self._isolation,
            "normal": self._normal,
            **self._scaling.state(),
        }

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        detector, stored = cls(seed=seed, **params), Stored(cls.name, state)
        detector._scaling = Scaling.from_state(stored, detector.params["scaling"])
        detector.n_features_ = d = len(detector._scaling.center)
        limit = detector._scaling.limit
        detector._centers = stored.take("centers", np.float64, (None, d, None), -limit, limit)
        ensembles, _, size = detector._centers.shape
        detector._radii = stored.take("radii", np.float64, (ensembles, size), 0)
        detector._isolation = stored.take("isolation", np.float64, (ensembles, size), 0, 1)
        detector._normal = stored.take("normal", np.float64, (None, d), -limit, limit)
        return detector
