"""Splits labelled sets into training and test rows as published comparisons do (Livernoche et al., 2024).

Protocol A, unsupervised: sets under 1,000 rows are resampled to 1,000 with replacement, larger ones than
`max_rows` subsampled, standardised; the training rows are a bootstrap of the set, the test rows all of it.
Protocol B, one-class: the training rows are half of the normal rows, drawn at random; the test rows are the
other half and all anomalies; standardised by the training rows.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

FEWEST = 1_000


@dataclass(frozen=True)
class Split:
    """Training rows, and test rows with their labels."""

    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray


def read_set(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read `X` and `y` (0 normal, 1 anomaly) of one .npz file."""
    with np.load(path) as data:
        return np.ascontiguousarray(data["X"], np.float64), data["y"].ravel().astype(np.int64)


def split(X: np.ndarray, y: np.ndarray, protocol: str, seed: int, max_rows: int, resample: bool) -> Split:
    """Make the split of one seed; the same for every algorithm."""
    rng = np.random.default_rng(seed)
    if len(X) < FEWEST and resample:
        chosen = rng.integers(0, len(X), FEWEST)
        X, y = X[chosen], y[chosen]
    if len(X) > max_rows:
        chosen = rng.choice(len(X), max_rows, replace=False)
        X, y = X[chosen], y[chosen]
    if protocol == "A":
        X = standardised(X, X)
        return Split(X[rng.integers(0, len(X), len(X))], X, y)
    normal = rng.permutation(np.flatnonzero(y == 0))
    train, rest = np.split(normal, [round(len(normal) / 2)])
    test = np.concatenate([rest, np.flatnonzero(y == 1)])
    return Split(standardised(X[train], X[train]), standardised(X[test], X[train]), y[test])


def standardised(X: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Scale columns by the mean and standard deviation of the rows `by`; a constant one is only moved."""
    deviation = by.std(axis=0)
    deviation[by.min(axis=0) == by.max(axis=0)] = 1.0  # whatever rounding makes of it
    return np.ascontiguousarray((X - by.mean(axis=0)) / deviation)
