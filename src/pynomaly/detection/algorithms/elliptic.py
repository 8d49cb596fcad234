"""Elliptic envelope: rows far from the bulk, given how columns vary together, are anomalous."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.determinant import (
    MAX_RANDOM_COLUMNS,
    LeastDeterminant,
    is_singular,
    precision,
)
from pynomaly.detection.algorithms.elliptic_kernels import distance_shares
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.detection.parameters import rows_meant

AUTO_ROWS = 20_000
AUTO_SUPPORT = 0.75
RIDGE = 0.25
TAIL = 30.0
FAR = 1e5
SMALLEST_SPREAD, LARGEST_SPREAD = 1e-100, 1e100
SCORED_AT_ONCE = 8192


class EllipticEnvelope(Algorithm):
    """Elliptic envelope: Mahalanobis distance with a robust centre and covariance.

    The covariance is the minimum covariance determinant (P. Rousseeuw, K. Van Driessen, "A fast algorithm
    for the minimum covariance determinant estimator", 1999), reweighted and made consistent, by the steps
    that `determinant` describes. Score: the squared distance; on normal data without a ridge it has a
    chi-squared distribution with d degrees of freedom.

    A ridge: along each principal component where 90 % of all rows show more variance than the bulk, the
    variance is raised to theirs, by at most the square of `ridge` times the columns' spread (the standard
    deviation of values cut off 30 robust units from the median); where the bulk does not vary at all, to
    that of all rows. So columns that follow from others, or hardly vary in the bulk (indicators), raise a
    score and do not drown all else, tables with more columns than rows have a covariance, and normal data
    get no ridge. With `ridge=0` the order of the scores is that of
    scikit-learn's `EllipticEnvelope`, wherever both find the same bulk.

    Said in `notes_`:
    - above 40 columns the bulk is sought from Mahalanobis distances along the principal components of all
      rows and two other fixed starts, instead of random ones;
    - with more rows than `max_samples` it learns from a random sample of so many;
    - with `ridge=0`, a singular covariance gets the ridge of 0.25 after all.

    `contributions` are exact: column j has (x - m)_j * (P (x - m))_j, which add up to the score; a column
    that makes up for others has a negative one. Time: O(n * d * d + d**3) to fit, O(d * d) for each row.

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
        size = max(2, rows_meant(self.params["max_samples"], len(X), AUTO_ROWS))
        if size < len(X):
            self._note(f"The bulk was learned from a random sample of {size} of the {len(X)} rows.")
            sample = scaled[np.random.default_rng(self.seed).choice(len(X), size, replace=False)]
        self._location, self._precision = self._estimate(sample)
        progress(0.9)
        self._training_scores = self._score_blocks(scaled)
        progress(1.0)

    def _estimate(self, X: Matrix) -> tuple[Matrix, Matrix]:
        """Find centre and precision of the bulk of scaled rows."""
        if X.shape[1] > MAX_RANDOM_COLUMNS:
            self._note(
                f"With more than {MAX_RANDOM_COLUMNS} columns, the bulk was sought from the principal "
                "components of all rows and other fixed starts."
            )
        robust = Scaling.fit(X, "robust")
        center = np.zeros(X.shape[1]) if self.params["assume_centered"] else robust.center
        with np.errstate(over="ignore"):
            tails = np.clip((X - robust.center) / robust.unit, -TAIL, TAIL)
            spread = np.clip(tails.std(axis=0) * robust.unit, SMALLEST_SPREAD, LARGEST_SPREAD)
            spread[tails.min(axis=0) == tails.max(axis=0)] = 1.0
            comparable = np.clip((X - center) / spread, -FAR, FAR)
        location, inverse = self._least_determinant(comparable)
        return center + location * spread, inverse / spread / spread[:, None]

    def _least_determinant(self, X: Matrix) -> tuple[Matrix, Matrix]:
        """Find centre and precision of the bulk of rows whose columns have comparable spread."""
        asked, ridge = self.params["support_fraction"], self.params["ridge"] ** 2
        share = AUTO_SUPPORT if asked == "auto" else float(asked)
        search = LeastDeterminant(share, ridge, self.params["assume_centered"], self.seed)
        bulk = search.fit(X)
        if ridge == 0 and not is_singular(bulk.covariance):
            return bulk.center, np.asarray(np.linalg.inv(bulk.covariance))
        if ridge == 0:
            self._note(
                "Some columns follow from others or do not vary in the bulk (singular covariance): "
                f"a ridge of {RIDGE} was added."
            )
        return bulk.center, precision(bulk, X, ridge or RIDGE**2)

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
