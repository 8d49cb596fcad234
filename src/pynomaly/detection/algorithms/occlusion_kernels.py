"""Kernel of occlusion: the most similar reference rows of each row."""

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, Ints, kernel


@kernel
def nearest_references(X: Floats, references: Floats, far: float, found: Ints, begin: int, end: int) -> None:
    """Write into `found`, shape (m, k), the k nearest references of the rows from `begin` to `end`.

    The distance is the sum over columns of min(|difference|, far); the nearest comes first, and of equally
    near references the one that stands first.
    """
    k = found.shape[1]
    best = np.empty(k)
    for i in range(begin, end):
        best[:] = np.inf
        for j in range(references.shape[0]):
            total = 0.0
            for column in range(X.shape[1]):
                total += min(abs(X[i, column] - references[j, column]), far)
                if total >= best[k - 1]:
                    break
            if total >= best[k - 1]:
                continue
            place = k - 1
            while place > 0 and best[place - 1] > total:
                best[place] = best[place - 1]
                found[i, place] = found[i, place - 1]
                place -= 1
            best[place] = total
            found[i, place] = j
