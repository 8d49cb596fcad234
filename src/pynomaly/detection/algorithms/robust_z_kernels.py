"""Kernel of the robust z-score: each value's distance from its column's median, together in one score."""

from pynomaly.detection.algorithms.kernels import Floats, kernel

MEAN, RMS, MAX = 0, 1, 2
LARGEST = 1e9


@kernel
def distance_in_units(x: float, center: float, unit: float) -> float:
    """Give |x - center| / unit, at most 1e9; values are halved first, so that no difference overflows."""
    return min(abs(0.5 * x - 0.5 * center) / unit * 2.0, LARGEST)


@kernel
def combine_distances(
    X: Floats, center: Floats, unit: Floats, how: int, totals: Floats, begin: int, end: int
) -> None:
    """Write the mean, root of the mean square, or greatest of each row's distances."""
    d = X.shape[1]
    for r in range(begin, end):
        total = 0.0
        for j in range(d):
            z = distance_in_units(X[r, j], center[j], unit[j])
            if how == MAX:
                total = max(total, z)
            else:
                total += z if how == MEAN else z * z
        if how == MEAN:
            total /= d
        elif how == RMS:
            total = (total / d) ** 0.5
        totals[r] = total


@kernel
def all_distances(X: Floats, center: Floats, unit: Floats, out: Floats) -> None:
    """Write each value's distance, shape (m, d)."""
    for r in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[r, j] = distance_in_units(X[r, j], center[j], unit[j])
