"""Says which columns a score comes from by putting a normal row's values in their place."""

from collections.abc import Callable

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix

MAX_REFERENCES = 2_000
NORMAL_SHARE = 0.75
FAR = 1.0
CELLS_AT_ONCE = 2_000_000


def normal_rows(X: Matrix, scores: Matrix, seed: int) -> Matrix:
    """Choose at most 2,000 of the three quarters of training rows with the lowest scores."""
    normal = np.flatnonzero(scores <= np.quantile(scores, NORMAL_SHARE))
    if len(normal) > MAX_REFERENCES:
        normal = np.sort(np.random.default_rng(seed).choice(normal, MAX_REFERENCES, replace=False))
    return X[normal]


def occlude(score: Callable[[Matrix], Matrix], X: Matrix, normal: Matrix) -> Matrix:
    """Estimate what each column adds to each row's score, shape (m, d), in the score's unit.

    Each row of `X` (scaled) is compared with its nearest row of `normal` (k, d). A column's contribution is
    the mean of what the score falls when the normal row's value is put into the row, and what it rises when
    the row's value is put into the normal row: a column's Shapley value (Lundberg & Lee 2017), taken over
    the first and the last place only. Contributions add up to the difference of the two rows' scores if
    columns do not interact, else about so.
    """
    m, d = X.shape
    out = np.empty((m, d))
    size = max(1, CELLS_AT_ONCE // (d * (2 * d + 2)))
    for begin in range(0, m, size):
        rows = X[begin : begin + size]
        out[begin : begin + size] = _occlude(score, rows, normal[nearest(rows, normal)])
    return out


def nearest(X: Matrix, normal: Matrix) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """Find each row's most similar normal row, where columns that are far off count no more than others."""
    out = np.empty(len(X), np.intp)
    for i, row in enumerate(X):
        out[i] = np.minimum(np.abs(normal - row), FAR).sum(axis=1).argmin()
    return out


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
