"""Kernel of the one-class SVM: the distance of rows from the learned border."""

import math

import numpy as np

from pynomaly.detection.algorithms.kernels import kernel

RBF, LINEAR, POLY, SIGMOID = 0, 1, 2, 3
LARGEST = 1e25


@kernel
def similarity(product, shape, gamma, degree, coef0):
    """Give the kernel function's value of a squared distance (rbf) or an inner product (others), never infinite."""
    if shape == RBF:
        return math.exp(-gamma * product)
    if shape == LINEAR:
        return min(max(product, -LARGEST), LARGEST)
    inner = min(max(gamma * product + coef0, -LARGEST), LARGEST)
    return inner**degree if shape == POLY else math.tanh(inner)


@kernel
def border_distances(X, vectors, weights, offset, shape, gamma, degree, coef0, out, begin, end):
    """Write offset - sum of weights * K(row, vector) for rows begin..end; `vectors` has shape (d, vectors)."""
    products = np.empty(vectors.shape[1])
    for r in range(begin, end):
        products[:] = 0.0
        for j in range(X.shape[1]):
            x, column = X[r, j], vectors[j]
            if shape == RBF:
                for i in range(len(products)):
                    gap = x - column[i]
                    products[i] += gap * gap
            else:
                for i in range(len(products)):
                    products[i] += x * column[i]
        total = 0.0
        for i in range(len(products)):
            total += weights[i] * similarity(products[i], shape, gamma, degree, coef0)
        out[r] = offset - total
