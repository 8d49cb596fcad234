"""Mixtures of normal distributions, fitted by expectation maximisation."""

from dataclasses import dataclass

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix
from pynomaly.detection.algorithms.k_means import k_means

ENOUGH = 1e-3
"""The mean log-likelihood, in nats, by which a round must raise it for another one to follow."""


@dataclass(frozen=True)
class Mixture:
    """k normal distributions in d columns: weights (k,), means (k, d), and factors (k, d, d).

    A factor is upper triangular; its product with its transpose is the inverse of the covariance.
    """

    weights: Matrix
    means: Matrix
    factors: Matrix

    @classmethod
    def fit(cls, X: Matrix, k: int, added: float, most_rounds: int, seed: int) -> "Mixture":
        """Fit at most `k` distributions with full covariances to the rows of `X`, shape (n, d).

        Expectation maximisation (A. Dempster, N. Laird, D. Rubin 1977) from k-means; `added` is added to each
        variance. Fewer than `k` come back when fewer rows differ. Raises numpy.linalg.LinAlgError when a
        covariance is singular. Time: O(n * k * d * d) a round.
        """
        now, before = cls._of(X, _clusters(X, k, seed), added), -np.inf
        for _ in range(most_rounds):
            logs = now._log_densities(X)
            top = logs.max(axis=1, keepdims=True)
            shares = np.exp(logs - top)
            totals = shares.sum(axis=1, keepdims=True)
            likelihood = float((top + np.log(totals)).mean())
            shares /= totals
            now = cls._of(X, shares, added)
            if abs(likelihood - before) < ENOUGH:
                break
            before = likelihood
        return now

    @classmethod
    def _of(cls, X: Matrix, shares: Matrix, added: float) -> "Mixture":
        """Take the distributions to which the rows belong by `shares`, (n, k)."""
        sums = shares.sum(axis=0) + 10 * np.finfo(np.float64).eps
        means = shares.T @ X / sums[:, None]
        d = X.shape[1]
        covariances = np.empty((len(sums), d, d))
        for c, mean in enumerate(means):
            gaps = X - mean
            covariances[c] = (shares[:, c, None] * gaps).T @ gaps / sums[c] + added * np.eye(d)
        factors = np.linalg.inv(np.linalg.cholesky(covariances)).transpose(0, 2, 1)
        if not np.isfinite(factors).all():
            raise np.linalg.LinAlgError("A covariance is not finite.")
        return cls(sums / sums.sum(), means, factors)

    def _log_densities(self, X: Matrix) -> Matrix:
        """Give each row's log-density under each distribution, weighted: shape (n, k)."""
        logs = np.empty((len(X), len(self.weights)))
        for c, (mean, factor) in enumerate(zip(self.means, self.factors, strict=True)):
            turned = (X - mean) @ factor
            logs[:, c] = -0.5 * np.einsum("ij,ij->i", turned, turned)
        volumes = np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(axis=1)
        return np.asarray(logs + (np.log(self.weights) + volumes - X.shape[1] / 2 * np.log(2 * np.pi)))


def _clusters(X: Matrix, k: int, seed: int) -> Matrix:
    """Give 1 to each row's nearest centre of k-means, else 0: shape (n, centres)."""
    centers = k_means(X, k, 1, np.random.default_rng(seed))
    nearest = ((centers * centers).sum(axis=0) - 2 * (X @ centers)).argmin(axis=1)
    return np.asarray(np.eye(centers.shape[1])[nearest])
