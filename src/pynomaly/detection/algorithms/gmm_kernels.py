"""Kernel of the Gaussian mixture: log-densities, and each column's share of the squared distances."""

import math

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, kernel

LARGEST = 1e300


@kernel
def mixture_scores(
    X: Floats,
    means: Floats,
    factors: Floats,
    constants: Floats,
    shares: Floats,
    totals: Floats,
    begin: int,
    end: int,
) -> None:
    """Write minus the log-density of rows begin..end; and each column's share, if `shares` is not empty.

    `factors`, (k, d, d), are upper triangular: the product of a factor and its transpose is the precision
    matrix of a component. `constants`, (k,), are the components' log-densities at their own means, weighted.
    """
    k, d = means.shape
    gap, turned, logs = np.empty((k, d)), np.empty((k, d)), np.empty(k)
    for r in range(begin, end):
        turned[:] = 0.0
        top = -np.inf
        for c in range(k):
            for j in range(d):
                g = X[r, j] - means[c, j]
                gap[c, j] = g
                for i in range(j, d):
                    turned[c, i] += g * factors[c, j, i]
            distance = 0.0
            for i in range(d):
                distance += turned[c, i] * turned[c, i]
            logs[c] = constants[c] - 0.5 * min(distance, LARGEST)
            top = max(top, logs[c])
        total = 0.0
        for c in range(k):
            logs[c] = math.exp(logs[c] - top)
            total += logs[c]
        totals[r] = -top - math.log(total)
        if shares.shape[0] > 0:
            shares[r] = 0.0
            for c in range(k):
                for j in range(d):
                    pulled = 0.0
                    for i in range(j, d):
                        pulled += factors[c, j, i] * turned[c, i]
                    share = 0.5 * (logs[c] / total) * gap[c, j] * pulled
                    shares[r, j] += min(max(share, -LARGEST), LARGEST)
