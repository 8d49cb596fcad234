"""Numba kernel of scaling by rank."""

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, kernel


@kernel
def normal_scores(
    X: Floats, knots: Floats, levels: Floats, unit: Floats, limit: float, out: Floats, begin: int, end: int
) -> None:
    """Write rows begin to end of `X`, (m, d), as normal scores into `out`.

    `knots`, (d, q), has each column's values in order and `levels`, (d, q), their normal scores; between two
    knots the score is on the straight line. Beyond the ends it goes on by log(1 + excess / unit): far values
    stay apart, but none outweighs all other columns.
    """
    d, q = knots.shape
    for j in range(d):
        first, last = knots[j, 0], knots[j, q - 1]
        for i in range(begin, end):
            x = X[i, j]
            if x > last:
                z = levels[j, q - 1] + np.log1p(min(x / unit[j] - last / unit[j], limit))
            elif x < first:
                z = levels[j, 0] - np.log1p(min(first / unit[j] - x / unit[j], limit))
            else:
                low, high = 0, q - 1
                while high - low > 1:
                    middle = (low + high) // 2
                    if knots[j, middle] <= x:
                        low = middle
                    else:
                        high = middle
                if knots[j, high] <= x:
                    low = high
                z = levels[j, low]
                if x > knots[j, low]:
                    gap = knots[j, low + 1] / 2 - knots[j, low] / 2
                    z += (x / 2 - knots[j, low] / 2) / gap * (levels[j, low + 1] - z)
            out[i, j] = z
