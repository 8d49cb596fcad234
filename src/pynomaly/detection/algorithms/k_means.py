"""k-means clustering: the centres of groups of rows."""

import math

import numpy as np

from pynomaly.detection.algorithms import cluster_kernels as kernels
from pynomaly.detection.algorithms.contract import Matrix
from pynomaly.detection.algorithms.kernels import Ints
from pynomaly.detection.algorithms.threads import run_blocks

ROWS_AT_ONCE = 4_096
MOST_STEPS = 100
ENOUGH = 1e-5


def k_means(X: Matrix, k: int, runs: int, generator: np.random.Generator) -> Matrix:
    """Find at most `k` centres for the rows of `X`, shape (n, d): shape (d, centres), no two alike.

    Lloyd's steps (S. Lloyd 1982) from greedy k-means++ starts (D. Arthur, S. Vassilvitskii 2007); the best
    of `runs` is taken. Fewer than `k` centres come back when there are fewer different rows. Time: O(n * d *
    k) a step.
    """
    best, least = np.empty((X.shape[1], 0)), np.inf
    for _ in range(runs):
        centers, inertia = _lloyd(X, X[_first(X, k, generator)].T)
        if inertia < least:
            best, least = centers, inertia
    return best


def count_nearest(X: Matrix, centers: Matrix) -> Ints:
    """Count the rows that are nearest to each of `centers`, shape (d, k)."""
    _, counts, _ = _assign(X, centers)
    return counts


def _first(X: Matrix, k: int, generator: np.random.Generator) -> list[int]:
    """Choose rows far from one another: each is the best of some drawn by squared distance."""
    rows = [int(generator.integers(len(X)))]
    least, trial, kept = np.full(len(X), np.inf), np.empty(len(X)), np.empty(len(X))
    total = kernels.lower(X, rows[0], least, kept)
    least, kept = kept, least
    for _ in range(k - 1):
        if not total > 0:
            break
        best = np.inf
        drawn = generator.random(2 + int(math.log(k))) * total
        for row in np.searchsorted(np.cumsum(least), drawn).clip(max=len(X) - 1):
            lowered = kernels.lower(X, int(row), least, trial)
            if lowered < best:
                best, chosen = lowered, int(row)
                trial, kept = kept, trial
        total = best
        least, kept = kept, least
        rows.append(chosen)
    return rows


def _lloyd(X: Matrix, centers: Matrix) -> tuple[Matrix, float]:
    centers, before = np.ascontiguousarray(centers), np.inf
    for _ in range(MOST_STEPS):
        sums, counts, inertia = _assign(X, centers)
        held = counts > 0
        centers = np.ascontiguousarray(sums[:, held] / counts[held])
        if inertia >= before * (1 - ENOUGH):
            break
        before = inertia
    return centers, inertia


def _assign(X: Matrix, centers: Matrix) -> tuple[Matrix, Ints, float]:
    """Sum and count the rows nearest to each centre; the same bits on any number of threads."""
    parts, (d, k) = math.ceil(len(X) / ROWS_AT_ONCE), centers.shape
    sums, counts, inertia = np.zeros((parts, d, k)), np.zeros((parts, k), np.int64), np.zeros(parts)

    def work(begin: int, end: int) -> None:
        kernels.assign(X, centers, sums, counts, inertia, begin, end, begin // ROWS_AT_ONCE)

    run_blocks(work, len(X), ROWS_AT_ONCE)
    return sums.sum(axis=0), counts.sum(axis=0), float(inertia.sum())
