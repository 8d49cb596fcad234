"""Elliptic envelope: rows far from the bulk, given how columns vary together, are anomalous."""

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.elliptic_kernels import distance_shares
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.detection.parameters import rows_meant

AUTO_ROWS = 20_000
MAX_COLUMNS = 150
SINGULAR = 1e-10
RIDGE = 0.1
WINSORISED_AT = 5.0
SCORED_AT_ONCE = 8192


class EllipticEnvelope(Algorithm):
    """Elliptic envelope: Mahalanobis distance with a robust centre and covariance.

    The covariance is the minimum covariance determinant (P. Rousseeuw, K. Van Driessen, "A fast algorithm
    for the minimum covariance determinant estimator", 1999), by scikit-learn's `MinCovDet` on the scaled
    columns with `seed`. Score: the squared distance, equal to minus scikit-learn's
    `EllipticEnvelope.score_samples` on the scaled rows.

    Said in `notes_` when used:
    - a covariance that is singular (columns that follow from others, or that hardly vary in the bulk) gets
      a ridge: no column is taken to vary by less than 0.1 of its unit, so rows that leave the bulk's plane
      score high but finite;
    - with more than 150 columns, or when no such covariance exists: the shrunk covariance (O. Ledoit, M.
      Wolf 2004) of values that are cut off 5 units from the median;
    - with more rows than `max_samples` it learns from a random sample of so many.

    `contributions` are exact: column j has (x - m)_j * (P (x - m))_j, which add up to the score; a column
    that makes up for others has a negative one. Time: O(n * d * d) and more to fit, O(d * d) for each row.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 2)) * [1, 100]
    >>> envelope = EllipticEnvelope().fit(X)
    >>> int(envelope.contributions(np.array([[9.0, 50.0]])).argmax())
    0
    """

    name = "elliptic_envelope"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = self._scaling.apply(X)
        sample = scaled
        size = rows_meant(self.params["max_samples"], len(X), AUTO_ROWS)
        if size < len(X):
            self._note(f"The bulk was learned from a random sample of {size} of the {len(X)} rows.")
            sample = scaled[np.random.default_rng(self.seed).choice(len(X), size, replace=False)]
        location, precision = self._estimate(sample)
        self._location, self._precision = location, np.ascontiguousarray(precision)
        progress(0.9)
        self._training_scores = self._score_blocks(scaled)
        progress(1.0)

    def _estimate(self, X: Matrix) -> tuple[Matrix, Matrix]:
        if X.shape[1] > MAX_COLUMNS:
            self._note(
                f"With more than {MAX_COLUMNS} columns, the bulk's covariance was estimated by shrinkage."
            )
            return _shrunk(X)
        try:
            return self._least_determinant(X)
        except (ValueError, np.linalg.LinAlgError):  # how scikit-learn and LAPACK say that there is none
            self._note("No least determinant exists here: the covariance was estimated by shrinkage.")
            return _shrunk(X)

    def _least_determinant(self, X: Matrix) -> tuple[Matrix, Matrix]:
        """Fit scikit-learn's estimator: centre and precision, with a ridge if the covariance is singular."""
        from sklearn.covariance import MinCovDet

        share = self.params["support_fraction"]
        estimator = MinCovDet(
            assume_centered=self.params["assume_centered"],
            support_fraction=None if share == "auto" else share,
            random_state=self.seed,
        )
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # singular covariances: seen from the result
            estimator.fit(X)
        covariance = estimator.covariance_
        eigenvalues = np.linalg.eigvalsh(covariance)
        if eigenvalues[0] > SINGULAR * eigenvalues[-1]:
            return estimator.location_, estimator.get_precision()
        precision = _inverse(covariance + np.diag((RIDGE * Scaling.fit(X, "robust").unit) ** 2))
        self._note(
            "Some columns follow from others or hardly vary in the bulk (singular covariance): "
            "each was taken to vary by at least 0.1 of its unit."
        )
        return estimator.location_, precision

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(self._scaling.apply(X))

    def _score_blocks(self, X: Matrix, shares: Matrix | None = None) -> Matrix:
        totals = np.empty(len(X))
        shares = np.empty((0, 0)) if shares is None else shares

        def work(begin: int, end: int) -> None:
            distance_shares(X, self._location, self._precision, shares, totals, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE)
        return totals

    def _contributions(self, X: Matrix) -> Matrix:
        shares = np.empty(X.shape)
        self._score_blocks(self._scaling.apply(X), shares)
        return shares

    def state(self) -> State:
        """Give the bulk's centre and precision matrix in scaled units, and the scaling."""
        return {"location": self._location, "precision": self._precision, **self._scaling.state()}

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector."""
        envelope, stored = cls(seed=seed, **params), Stored(cls.name, state)
        envelope._scaling = Scaling.from_state(stored, envelope.params["scaling"])
        envelope.n_features_ = d = len(envelope._scaling.center)
        envelope._location = stored.take("location", np.float64, (d,))
        envelope._precision = stored.take("precision", np.float64, (d, d))
        return envelope


def _inverse(covariance: Matrix) -> Matrix:
    return np.asarray(np.linalg.inv(covariance), dtype=np.float64)


def _shrunk(X: Matrix) -> tuple[Matrix, Matrix]:
    """Centre and precision of values cut off 5 units from the median; always finite."""
    from sklearn.covariance import LedoitWolf

    scaling = Scaling.fit(X, "robust")
    estimator = LedoitWolf().fit(np.clip(scaling.apply(X), -WINSORISED_AT, WINSORISED_AT))
    precision = _inverse(estimator.covariance_ + np.diag(np.full(X.shape[1], RIDGE**2)))
    return scaling.center + estimator.location_ * scaling.unit, precision / np.outer(
        scaling.unit, scaling.unit
    )
