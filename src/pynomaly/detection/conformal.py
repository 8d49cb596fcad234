"""Scores of training rows by models that did not learn from them, so that p-values keep their promise.

A row that a model learned from scores lower than a new one like it, the more so the fewer rows and the more
flexible the model: p-values against such scores are too small. Cross-conformal detection (O. Hennhöfer, C.
Preisach, "Leave-one-out-, bootstrap- and cross-conformal anomaly detectors", 2024) scores each part of the
training rows by a model of the same kind that learned from the other parts.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.threads import few_blas_threads, run_blocks
from pynomaly.errors import FitFailed, TooFewRows

if TYPE_CHECKING:
    from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress

FOLDS = ((500, 10), (10_000, 3), (50_000, 2))
"""Up to so many rows, so many parts: models of few rows suffer most from leaving many out."""


def fold_count(rows: int) -> int:
    """How many parts; 1 above 50,000 rows, where what one row taught the model no longer shows.

    >>> fold_count(200), fold_count(1000), fold_count(1_000_000)
    (10, 3, 1)
    """
    return next((folds for most, folds in FOLDS if rows <= most), 1)


def out_of_sample_scores(
    trained: "Algorithm", X: "Matrix", progress: "Progress | None" = None
) -> NDArray[np.float64]:
    """Score each of the n training rows `X` as if it were new: float64, shape (n,), in their order.

    Each part is scored by an algorithm with the same parameters and seed that is trained on the other
    parts, several at a time. Where a part leaves too few rows to learn from, or the rows cannot be learned
    from without it, the scores are those in training. Time: folds - 1 times that of training.
    """
    n, folds = len(X), min(fold_count(len(X)), len(X))
    if folds == 1 or n - -(-n // folds) < trained.min_rows:
        return trained.training_scores_
    order = np.random.default_rng([trained.seed, n]).permutation(n)
    scores, parts = np.empty(n), np.array_split(order, folds)

    def score(place: int, _: int) -> None:
        part = np.sort(parts[place])
        others = np.ones(n, dtype=bool)
        others[part] = False
        fold = type(trained)(seed=trained.seed, **trained.params).fit(X[others])
        scores[part] = fold.score(X[part]) * (trained.unit_ / fold.unit_)

    try:
        with few_blas_threads(X.shape[1]):
            run_blocks(score, folds, 1, progress, threads=None if trained.thread_safe else 1)
    except (FitFailed, TooFewRows):
        return trained.training_scores_
    return scores
