"""The minimum covariance determinant: centre and covariance of the rows that lie closest together."""

from dataclasses import dataclass

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix

START_ROWS = 1_500
RANDOM_STARTS = 30
MAX_RANDOM_COLUMNS = 40
FIRST_STEPS = 2
CANDIDATES, MOST_STEPS = 3, 30
WIDE_CANDIDATES, WIDE_STEPS = 1, 2
INSIDE = 0.975
SINGULAR = 1e-10
REFINED = 2
MOST_ROWS = 0.9
NORMAL_REACH = 1.6448536269514722
"""Deviations from the mean that hold 90 % of a normal distribution."""

LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class Ellipsoid:
    """A centre, shape (d,), and a covariance, shape (d, d)."""

    center: Matrix
    covariance: Matrix


class LeastDeterminant:
    """FastMCD (P. Rousseeuw, K. Van Driessen 1999) with deterministic starts and a ridge.

    Among all sets of `share` of the rows, it looks for one whose covariance has the least determinant: from
    several starts, each step keeps the rows nearest to the centre of those kept before (C-steps). Starts,
    after DetMCD (M. Hubert, P. Rousseeuw, T. Verdonck 2012): all rows, the half nearest to the median, the
    directions of the rows (spatial signs); and 30 random sets of d + 1 rows. Above 40 columns a random set
    hardly ever holds good rows only: the deterministic starts (the first are Mahalanobis distances along
    the principal components of all rows) stand alone, and the best of them takes few steps. `ridge` is
    added to each variance, as in the regularised MCD (K. Boudt et al. 2020): a covariance that is singular
    does no harm.

    Starts are tried on 1,500 rows, the best goes on with all rows. Time: O(steps * (n * d * d + d**3)).
    """

    def __init__(self, share: float, ridge: float, centred: bool, seed: int) -> None:
        """Store; `centred`: the centre is 0."""
        self.share, self.ridge, self.centred = share, ridge, centred
        self.generator = np.random.default_rng(seed)

    def fit(self, X: Matrix) -> Ellipsoid:
        """Find the bulk of `X`, shape (n, d), columns of comparable spread, and reweight it.

        The covariance is that of the rows inside the bulk's 97.5 % ellipsoid, made consistent for normal
        data (C. Croux, G. Haesbroeck 1999), without the ridge. With a ridge the bulk is reweighted twice
        more by `precision`, so that rows which the ridge had hidden in it come out.
        """
        raw = self._search(X)
        bulk = self._inside(X, self._distances(X, raw))
        for _ in range(REFINED if self.ridge else 0):
            bulk = self._inside(X, squared(X - bulk.center, precision(bulk, X, self.ridge)))
        return bulk

    def _search(self, X: Matrix) -> Ellipsoid:
        few = X
        if len(X) > START_ROWS:
            few = X[self.generator.choice(len(X), START_ROWS, replace=False)]
        tried = [self._concentrate(few, start, FIRST_STEPS) for start in self._starts(few)]
        tried.sort(key=self._log_determinant)
        wide = X.shape[1] > MAX_RANDOM_COLUMNS
        kept, steps = (WIDE_CANDIDATES, WIDE_STEPS) if wide else (CANDIDATES, MOST_STEPS)
        found = [self._concentrate(few, start, steps) for start in tried[:kept]]
        best = min(found, key=self._log_determinant)
        return best if few is X else self._concentrate(X, best, steps)

    def _starts(self, X: Matrix) -> list[Ellipsoid]:
        n, d = X.shape
        middle = np.zeros(d) if self.centred else np.median(X, axis=0)
        gaps = X - middle
        lengths = np.sqrt((gaps * gaps).sum(axis=1))
        signs = gaps / np.where(lengths > 0, lengths, 1.0)[:, None]
        directions = signs.T @ signs * (d / n)
        inner = np.argsort(lengths, kind="stable")[: (n + 1) // 2]
        starts = [self._of(X), self._of(X[inner]), Ellipsoid(middle, directions)]
        if d <= MAX_RANDOM_COLUMNS:
            size = min(d + 1, n)
            draws = [self.generator.choice(n, size, replace=False) for _ in range(RANDOM_STARTS)]
            starts += [self._of(X[rows]) for rows in draws]
        return starts

    def _of(self, X: Matrix) -> Ellipsoid:
        center = np.zeros(X.shape[1]) if self.centred else X.mean(axis=0)
        gaps = X - center
        return Ellipsoid(center, gaps.T @ gaps / len(X))

    def _concentrate(self, X: Matrix, start: Ellipsoid, steps: int) -> Ellipsoid:
        """Move to the nearest rows, again and again, until the determinant falls no more."""
        kept = min(len(X), max(int(self.share * len(X)), 2))
        now, least = start, np.inf
        for _ in range(steps):
            nearest = np.argpartition(self._distances(X, now), kept - 1)[:kept]
            now = self._of(X[nearest])
            size = self._log_determinant(now)
            if size >= least - 1e-9:
                break
            least = size
        return now

    def _with_ridge(self, covariance: Matrix) -> Matrix:
        least = SINGULAR * max(float(np.trace(covariance)) / len(covariance), SINGULAR)
        return covariance + np.diag(np.full(len(covariance), max(self.ridge, least)))

    def _log_determinant(self, found: Ellipsoid) -> float:
        return float(np.linalg.slogdet(self._with_ridge(found.covariance))[1])

    def _distances(self, X: Matrix, found: Ellipsoid) -> Matrix:
        return squared(
            X - found.center, np.asarray(np.linalg.inv(self._with_ridge(found.covariance)), np.float64)
        )

    def _inside(self, X: Matrix, distances: Matrix) -> Ellipsoid:
        """Take the rows inside the ellipsoid; distances have the median of normal data's, once scaled."""
        from scipy.special import chdtr, chdtri

        d = X.shape[1]
        limit = float(chdtri(d, 1 - INSIDE))
        near = distances <= limit * np.median(distances) / float(chdtri(d, 0.5))
        bulk = self._of(X[near])
        return Ellipsoid(bulk.center, bulk.covariance * (INSIDE / float(chdtr(d + 2, limit))))


def squared(gaps: Matrix, inverse: Matrix) -> Matrix:
    """Give squared Mahalanobis distances, shape (n,), of `gaps` from the centre."""
    pulled = gaps @ inverse
    pulled *= gaps
    return np.asarray(pulled.sum(axis=1))


def is_singular(covariance: Matrix) -> bool:
    """Tell whether some combination of the columns does not vary."""
    eigenvalues = np.linalg.eigvalsh(covariance)
    return bool(eigenvalues[0] <= SINGULAR * max(float(eigenvalues[-1]), SINGULAR))


def precision(bulk: Ellipsoid, X: Matrix, ridge: float) -> Matrix:
    """Invert the bulk's covariance, with a ridge where the tails of the rows `X` call for one.

    Along each principal component the variance is raised to what 90 % of all rows show, if that is more, by
    at most `ridge`: nothing where rows are normal, all of it where the bulk hardly varies and others do.
    Where the bulk does not vary at all (an indicator that is 0 in all of it), it tells nothing of how usual
    another value is: the variance of all rows is taken, at most 1.
    """
    variances, directions = np.linalg.eigh(bulk.covariance)
    along = (X - bulk.center) @ directions
    reach = np.quantile(np.abs(along), MOST_ROWS, axis=0) / NORMAL_REACH
    widened = variances + np.clip(reach**2 - variances, 0.0, ridge) + LEAST_VARIANCE
    of_all = np.minimum((np.minimum(np.abs(along), 1e3) ** 2).mean(axis=0), 1.0)
    flat = variances < LEAST_VARIANCE
    widened[flat] = np.maximum(of_all[flat], ridge)
    return np.asarray((directions / widened) @ directions.T)
