"""Says which columns a score comes from by putting normal rows' values in their place."""

from collections.abc import Callable

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix, as_matrix
from pynomaly.detection.algorithms.kernels import Ints
from pynomaly.detection.algorithms.occlusion_kernels import nearest_references
from pynomaly.detection.algorithms.threads import run_blocks

MAX_REFERENCES = 2_000
NORMAL_SHARE = 0.75
COMPARED = 3
"""Nearest normal rows that each row is compared with; the mean is taken, since one may be odd itself."""

FAR = 1.0
CELLS_AT_ONCE = 2_000_000
ROWS_AT_ONCE = 256


def normal_rows(X: Matrix, scores: Matrix, seed: int) -> Matrix:
    """Choose at most 2,000 of the three quarters of training rows with the lowest scores."""
    return X[normal_places(scores, seed, MAX_REFERENCES)]


def normal_places(scores: Matrix, seed: int, most: int) -> Ints:
    """Choose at most `most` of the three quarters of training rows with the lowest scores: their places."""
    normal = np.flatnonzero(scores <= np.quantile(scores, NORMAL_SHARE))
    if len(normal) > most:
        normal = np.sort(np.random.default_rng(seed).choice(normal, most, replace=False))
    return normal.astype(np.int64, copy=False)


def occlude(score: Callable[[Matrix], Matrix], X: Matrix, normal: Matrix) -> Matrix:
    """Estimate what each column adds to each row's score, shape (m, d), in the score's unit.

    Each row of `X` (scaled) is compared with its `COMPARED` nearest rows of `normal` (k, d). A column's
    contribution is the mean of what the score falls when the normal row's value is put into the row, and what
    it rises when the row's value is put into the normal row: a column's Shapley value (Lundberg & Lee 2017),
    taken over the first and the last place only. Contributions add up to the difference of the rows' scores
    if columns do not interact, else about so.
    """
    m, d = X.shape
    compared = min(COMPARED, len(normal))
    references = nearest(X, normal, compared)
    out = np.empty((m, d))
    size = max(1, CELLS_AT_ONCE // (d * (2 * d + 2) * compared))
    for begin in range(0, m, size):
        chosen = references[begin : begin + size]
        rows = np.repeat(X[begin : begin + size], compared, axis=0)
        parts = _occlude(score, rows, normal[chosen.ravel()])
        out[begin : begin + size] = parts.reshape(len(chosen), compared, d).mean(axis=1)
    return out


def nearest(X: Matrix, normal: Matrix, k: int = 1) -> Ints:
    """Find each row's `k` most similar normal rows, nearest first: their places in `normal`, shape (m, k).

    Columns that are far off count no more than others.
    """
    X, normal = as_matrix(X), as_matrix(normal)
    found = np.zeros((len(X), k), np.int64)
    run_blocks(lambda begin, end: nearest_references(X, normal, FAR, found, begin, end), len(X), ROWS_AT_ONCE)
    return found


def _occlude(score: Callable[[Matrix], Matrix], rows: Matrix, others: Matrix) -> Matrix:
    m, d = rows.shape
    column = np.arange(d)
    removed = np.repeat(rows[:, None], d, axis=1)
    removed[:, column, column] = others
    added = np.repeat(others[:, None], d, axis=1)
    added[:, column, column] = rows
    batch = np.concatenate([rows, others, removed.reshape(-1, d), added.reshape(-1, d)])
    scores = score(batch)
    own, other = scores[:m, None], scores[m : 2 * m, None]
    falls, rises = scores[2 * m :].reshape(2, m, d)
    return (own - falls + rises - other) / 2
