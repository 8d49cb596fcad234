"""Numba kernel that looks scores up among those of the training rows."""

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, kernel

FARTHEST = 1e300


@kernel
def levels_of(
    given: Floats, scores: Floats, levels: Floats, unit: float, out: Floats, begin: int, end: int
) -> None:
    """Write the level of each score `given` into `out`; `scores` and `levels`, (q,), are in order."""
    last = len(scores) - 1
    for i in range(begin, end):
        score = given[i]
        if score >= scores[last]:
            out[i] = levels[last] + np.log1p(min(max(score / unit - scores[last] / unit, 0.0), FARTHEST))
            continue
        low, high = 0, last
        while high - low > 1:
            middle = (low + high) // 2
            if scores[middle] <= score:
                low = middle
            else:
                high = middle
        level = levels[low]
        if score > scores[low]:
            gap = scores[high] / 2 - scores[low] / 2
            level += (score / 2 - scores[low] / 2) / gap * (levels[high] - level)
        out[i] = level
