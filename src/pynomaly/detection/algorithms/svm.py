"""One-class SVM: rows outside a smooth border around most training rows are anomalous (Schölkopf et al.
2001)."""

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import svm_kernels as kernels
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State, read_only
from pynomaly.detection.algorithms.occlusion import normal_rows, occlude
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.errors import FitFailed

MAX_EXACT_ROWS = 10_000
MAX_APPROXIMATE_ROWS = 50_000
MIN_STEPS = 100_000
STEPS_PER_ROW = 100
SCORED_AT_ONCE = 512
NO_BORDER = "The one-class SVM found no border: scale the columns, or choose another kernel."
SHAPES = {"rbf": kernels.RBF, "linear": kernels.LINEAR, "poly": kernels.POLY, "sigmoid": kernels.SIGMOID}


class OneClassSVM(Algorithm):
    """One-class SVM (B. Schölkopf et al., "Estimating the support of a high-dimensional distribution", 2001).

    Score: distance from the border in feature space, positive outside: minus scikit-learn's
    `decision_function` of the scaled rows, that is its `offset_` minus `score_samples`.

    Above 10,000 rows `method="auto"` approximates the kernel from `n_components` rows (Nyström; Williams &
    Seeger 2001) and learns by stochastic gradient descent on at most 50,000 rows; `notes_` says so. Time:
    exact, about O(n * n); approximate, O(n * n_components); each scored row O(support vectors * d).

    `contributions` are occlusions against the nearest normal training row (see `occlusion`).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> bool(OneClassSVM().fit(X).score(np.array([[9.0, 0.0]]))[0] > 0)
    True
    """

    name = "one_class_svm"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = self._scaling.apply(X)
        self._gamma = self._choose_gamma(scaled)
        method = self.params["method"]
        if method == "auto":
            method = "exact" if len(X) <= MAX_EXACT_ROWS else "nystroem"
        vectors, weights, offset = self._solve(scaled) if method == "exact" else self._approximate(scaled)
        self.unit_ = float(len(X)) if method == "exact" else 1.0  # the dual's weights add up to nu * n
        if not (np.isfinite(weights).all() and np.isfinite(offset)):
            raise FitFailed(NO_BORDER)
        self._keep(vectors, weights, offset)
        progress(0.5)
        self._training_scores = self._score_blocks(scaled, progress, 0.5)
        self._normal = normal_rows(scaled, self._training_scores, self.seed)

    def _choose_gamma(self, X: Matrix) -> float:
        gamma = self.params["gamma"]
        if gamma == "auto":
            return 1.0 / float(X.shape[1])
        if gamma == "scale":
            variance = float(X.var())
            return 1.0 / (float(X.shape[1]) * variance) if variance > 0 else 1.0
        return float(gamma)

    def _solve(self, X: Matrix) -> tuple[Matrix, Matrix, float]:
        from sklearn import svm
        from sklearn.exceptions import ConvergenceWarning

        names = ("kernel", "nu", "degree", "coef0", "tol", "shrinking")
        chosen = {key: self.params[key] for key in names}
        steps = max(MIN_STEPS, STEPS_PER_ROW * len(X))
        solver = svm.OneClassSVM(**chosen, gamma=self._gamma, cache_size=500, max_iter=steps)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ConvergenceWarning)
                fitted = solver.fit(X)
        except ValueError as error:
            raise FitFailed(NO_BORDER) from error
        if caught:
            self._note(f"The solver was stopped after {steps} steps, before it was done: scale the columns.")
        return fitted.support_vectors_, fitted.dual_coef_[0], -float(fitted.intercept_[0])

    def _approximate(self, X: Matrix) -> tuple[Matrix, Matrix, float]:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.kernel_approximation import Nystroem
        from sklearn.linear_model import SGDOneClassSVM

        count = min(int(self.params["n_components"]), len(X))
        self._note(
            f"The border was approximated from {count} rows (Nyström and gradient descent); "
            "method=exact solves the whole problem, in much more time."
        )
        if len(X) > MAX_APPROXIMATE_ROWS:
            self._note(f"It was learned from a random sample of {MAX_APPROXIMATE_ROWS} of the {len(X)} rows.")
            chosen = np.random.default_rng(self.seed).choice(len(X), MAX_APPROXIMATE_ROWS, replace=False)
            X = X[chosen]
        names = {"linear": (), "rbf": ("gamma",), "sigmoid": ("gamma", "coef0")}
        given = {"gamma": self._gamma, "coef0": self.params["coef0"], "degree": self.params["degree"]}
        shape = {key: given[key] for key in names.get(self.params["kernel"], given)}
        mapping = Nystroem(kernel=self.params["kernel"], n_components=count, random_state=self.seed, **shape)
        features = mapping.fit_transform(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = SGDOneClassSVM(nu=self.params["nu"], random_state=self.seed).fit(features)
        return mapping.components_, mapping.normalization_.T @ fitted.coef_, float(fitted.offset_[0])

    def _keep(self, vectors: Matrix, weights: Matrix, offset: float) -> None:
        self._vectors, self._weights = np.ascontiguousarray(vectors.T), np.ascontiguousarray(weights)
        self._offset = offset

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(self._scaling.apply(X))

    def _score_blocks(self, X: Matrix, progress: Progress | None = None, start: float = 0.0) -> Matrix:
        out, X = np.empty(len(X)), read_only(X)
        shape = (
            SHAPES[self.params["kernel"]],
            self._gamma,
            self.params["degree"],
            float(self.params["coef0"]),
        )

        def work(begin: int, end: int) -> None:
            kernels.border_distances(X, self._vectors, self._weights, self._offset, *shape, out, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE, progress, start)
        return out

    def _contributions(self, X: Matrix) -> Matrix:
        return occlude(self._score_blocks, self._scaling.apply(X), self._normal)

    def state(self) -> State:
        """Give the support vectors (or those that stand for them), their weights, offset and scaling."""
        return {
            "vectors": self._vectors,
            "weights": self._weights,
            "offset": np.array([self._offset]),
            "gamma": np.array([self._gamma]),
            "normal": self._normal,
            **self._scaling.state(),
        }

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        svm, stored = cls(seed=seed, **params), Stored(cls.name, state)
        svm._scaling = Scaling.from_state(stored, svm.params["scaling"])
        svm.n_features_ = d = len(svm._scaling.center)
        limit = svm._scaling.limit
        svm._vectors = stored.take("vectors", np.float64, (d, None), -limit, limit)
        svm._weights = stored.take("weights", np.float64, svm._vectors.shape[1:])
        svm._offset = float(stored.take("offset", np.float64, (1,))[0])
        svm._gamma = float(stored.take("gamma", np.float64, (1,), 0)[0])
        svm._normal = stored.take("normal", np.float64, (None, d), -limit, limit)
        return svm
