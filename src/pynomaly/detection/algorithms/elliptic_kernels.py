"""Kernel of the elliptic envelope: squared Mahalanobis distances, and each column's share of them."""

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, kernel

LARGEST = 1e300


@kernel
def distance_shares(
    X: Floats, location: Floats, precision: Floats, shares: Floats, totals: Floats, begin: int, end: int
) -> None:
    """Write the squared distance of rows begin..end; and each column's share, if `shares` is not empty."""
    d = X.shape[1]
    gap, pulled = np.empty(d), np.empty(d)
    for r in range(begin, end):
        pulled[:] = 0.0
        for j in range(d):
            gap[j] = X[r, j] - location[j]
            for i in range(d):
                pulled[i] += gap[j] * precision[j, i]
        total = 0.0
        for j in range(d):
            share = min(max(gap[j] * pulled[j], -LARGEST), LARGEST)
            total += share
            if shares.shape[0] > 0:
                shares[r, j] = share
        totals[r] = max(total, 0.0)
