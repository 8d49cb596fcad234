"""Kernel of the one-class SVM: the distance of rows from the learned border."""

import math

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, kernel

RBF, LINEAR, POLY, SIGMOID = 0, 1, 2, 3
LARGEST = 1e25


@kernel
def similarity(product: float, shape: int, gamma: float, degree: int, coef0: float) -> float:
    """Give the finite kernel value of a squared distance (rbf) or of an inner product (the others)."""
    if shape == RBF:
        return math.exp(-gamma * product)
    if shape == LINEAR:
        return min(max(product, -LARGEST), LARGEST)
    inner = min(max(gamma * product + coef0, -LARGEST), LARGEST)
    return inner**degree if shape == POLY else math.tanh(inner)


@kernel
def border_distances(
    X: Floats,
    vectors: Floats,
    weights: Floats,
    offset: float,
    shape: int,
    gamma: float,
    degree: int,
    coef0: float,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """Write offset - sum of weights * K(row, vector) for rows begin..end; `vectors` is (d, vectors)."""
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
