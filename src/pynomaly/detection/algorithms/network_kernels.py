"""Runs rows through a small dense network, one row at a time: equal bits in any batch."""

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Singles, kernel


@kernel
def rebuild(
    X: Floats,
    sizes: Codes,
    weights: Singles,
    biases: Singles,
    relu: bool,
    most: float,
    errors: Floats,
    scores: Floats,
    begin: int,
    end: int,
) -> None:
    """Write what rebuilding rows [begin, end) of `X` misses: squared, for each column, and their sum.

    `sizes` are the layers' units, the columns first and last; `weights` and `biases` are the layers' own
    one after another, each weight matrix (inputs, outputs) in C order. The network sees values cut to
    [-most, most]. `errors` has the block's rows only, `scores` all rows.
    """
    values, sums = np.empty(sizes.max()), np.empty(sizes.max())
    d, last = sizes[0], len(sizes) - 2
    for i in range(begin, end):
        for j in range(d):
            values[j] = min(max(X[i, j], -most), most)
        w = b = 0
        for layer in range(last + 1):
            inputs, outputs = sizes[layer], sizes[layer + 1]
            sums[:outputs] = biases[b : b + outputs]
            for j in range(inputs):
                value = values[j]
                row = weights[w + j * outputs : w + (j + 1) * outputs]
                for u in range(outputs):
                    sums[u] += value * row[u]
            for u in range(outputs):
                if layer == last:
                    values[u] = sums[u]
                elif relu:
                    values[u] = max(sums[u], 0.0)
                else:
                    values[u] = np.tanh(sums[u])
            w += inputs * outputs
            b += outputs
        total = 0.0
        for j in range(d):
            miss = X[i, j] - values[j]
            errors[i - begin, j] = miss * miss
            total += miss * miss
        scores[i] = total
