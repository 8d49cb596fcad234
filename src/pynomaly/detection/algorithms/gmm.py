"""Gaussian mixture: rows where a mixture of normal distributions is thin are anomalous."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.gmm_kernels import mixture_scores
from pynomaly.detection.algorithms.mixture import Mixture
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.detection.parameters import rows_meant

AUTO_ROWS = 20_000
ROWS_PER_FREEDOM = 2
SCORED_AT_ONCE = 4096
LIGHTEST = 1e-12
LARGEST_CONSTANT = 1e9


class GMM(Algorithm):
    """Gaussian mixture with full covariances, fitted by expectation maximisation (A. Dempster, N. Laird, D.
    Rubin, 1977) on the scaled columns, from k-means.

    Score, in nats: minus the log-density of the scaled row under the components that stand for normal rows:
    the heaviest ones that together hold `normal_share` of the training rows. So a small cluster of anomalies
    in the training data does not count as normal (the idea of He, Xu & Deng's large clusters, 2003); with
    clean training data `normal_share=1` is the most accurate. Covariances are kept away from singular ones by
    `reg_covar` on their diagonals.

    Said in `notes_` when used: fewer components than asked for, so that each has at least twice as many rows
    as columns; a random sample when there are more rows than `max_samples`; diagonal covariances when no
    full ones exist.

    `contributions`: half the squared distance from each component, split into exact shares of the columns as
    for the Mahalanobis distance, and weighted by how much the row belongs to the component. Together with a
    term that no column owns (the components' log-weights and volumes, and how mixed the row is) they add up
    to the score. Time: O(n * k * d * d) for each round of the fit, O(k * d * d) for each row.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 2)) + np.arange(500)[:, None] % 2 * 9
    >>> gmm = GMM(n_components=2, normal_share=1.0).fit(X)
    >>> scores = gmm.score(np.array([[0.0, 0.0], [9.0, 9.0], [4.5, 4.5]]))
    >>> int(scores.argmax())
    2
    """

    name = "gmm"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = sample = self._scaling.apply(X)
        size = max(2, rows_meant(self.params["max_samples"], len(X), AUTO_ROWS))
        if size < len(X):
            self._note(f"The mixture was fitted to a random sample of {size} of the {len(X)} rows.")
            sample = scaled[np.sort(np.random.default_rng(self.seed).choice(len(X), size, replace=False))]
        progress(0.1)
        found = self._mixture(sample)
        weights = found.weights
        heaviest = np.argsort(-weights, kind="stable")
        before = np.cumsum(weights[heaviest]) - weights[heaviest]
        normal = heaviest[
            (before < float(self.params["normal_share"]) - 1e-9) & (weights[heaviest] > LIGHTEST)
        ]
        self._means, self._factors = found.means[normal], np.ascontiguousarray(found.factors[normal])
        volumes = np.log(np.diagonal(self._factors, axis1=1, axis2=2)).sum(axis=1)
        self._constants = np.log(weights[normal]) + volumes - X.shape[1] / 2 * np.log(2 * np.pi)
        progress(0.8)
        self._training_scores = self._score_blocks(scaled)
        progress(1.0)

    def _mixture(self, X: Matrix) -> Mixture:
        asked, added = int(self.params["n_components"]), float(self.params["reg_covar"])
        k = max(1, min(asked, len(X) // (ROWS_PER_FREEDOM * (X.shape[1] + 1))))
        if k < asked:
            self._note(f"{k} of {asked} components were fitted, since {len(X)} rows do not bear more.")
        with np.errstate(all="ignore"):
            try:
                return Mixture.fit(X, k, added, int(self.params["max_iter"]), self.seed)
            except np.linalg.LinAlgError:
                self._note("Full covariances are singular here: one component has a diagonal one.")
        whole = Scaling.fit(X, "standard")
        inverse = 1.0 / np.hypot(whole.unit, np.sqrt(added))
        return Mixture(np.ones(1), whole.center[None], np.diag(inverse)[None])

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(self._scaling.apply(X))

    def _score_blocks(self, X: Matrix, shares: Matrix | None = None) -> Matrix:
        totals = np.empty(len(X))
        shares = np.empty((0, 0)) if shares is None else shares

        def work(begin: int, end: int) -> None:
            mixture_scores(X, self._means, self._factors, self._constants, shares, totals, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE)
        return totals

    def _contributions(self, X: Matrix) -> Matrix:
        shares = np.empty(X.shape)
        self._score_blocks(self._scaling.apply(X), shares)
        return shares

    def state(self) -> State:
        """Give the normal components' means, factors and constants in scaled units, and the scaling."""
        arrays = {"means": self._means, "factors": self._factors, "constants": self._constants}
        return {**arrays, **self._scaling.state()}

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        gmm, stored = cls(seed=seed, **params), Stored(cls.name, state)
        gmm._scaling = Scaling.from_state(stored, gmm.params["scaling"])
        gmm.n_features_ = d = len(gmm._scaling.center)
        gmm._means = stored.take("means", np.float64, (None, d))
        k = len(gmm._means)
        gmm._factors = stored.take("factors", np.float64, (k, d, d))
        gmm._constants = stored.take("constants", np.float64, (k,), -LARGEST_CONSTANT, LARGEST_CONSTANT)
        return gmm
