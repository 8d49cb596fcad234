"""Says which columns set a row apart from the normal rows most like it."""

import numpy as np

from pynomaly.detection.algorithms.contract import Matrix, as_matrix
from pynomaly.detection.algorithms.gap_kernels import share_out
from pynomaly.detection.algorithms.neighbours import plain_metric
from pynomaly.detection.algorithms.occlusion import nearest

COMPARED = 10
"""Normal rows that each row is compared with: one may be odd itself."""

LARGEST_ONLY = 100.0
"""So large a power leaves nearly all to the largest gap, as the chebyshev distance does."""


def shared_by_gaps(scores: Matrix, X: Matrix, normal: Matrix, metric: str, p: float) -> Matrix:
    """Share `scores`, shape (m,), out to the columns of `X` (scaled), shape (m, d): they add up to the score.

    Each row is compared with its nearest rows of `normal` (k, d), where columns that are far off count no
    more than others: so these are rows that it would be like, but for few columns. A column's share is its
    part of the sum that makes their distances: of squared gaps, or of gaps to the power `p` of the metric.
    The k nearest training rows would not do: they may be other anomalies, or lie half-way along two columns.
    A row that equals them all has no shares.

    Time: O(k d) for each row; nothing is scored.
    """
    X, normal = as_matrix(X), as_matrix(normal)
    found, out = nearest(X, normal, min(COMPARED, len(normal))), np.zeros(X.shape)
    powers = {"manhattan": 1.0, "euclidean": 2.0, "chebyshev": LARGEST_ONLY}
    share_out(scores, X, normal, found, powers.get(plain_metric(metric, p), p), out)
    return out
