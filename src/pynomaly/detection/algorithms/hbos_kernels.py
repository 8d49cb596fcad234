"""Kernels of the histogram score: find each column's range, count its bins, add up the columns' parts.

Bin 0 of a column lies below its range and the last one above. Values are halved before they are
subtracted, so that no difference overflows.
"""

from pynomaly.detection.algorithms.kernels import Floats, Ints, kernel


@kernel
def find_ranges(X: Floats, low: Floats, high: Floats, begin: int, end: int) -> None:
    """Lower `low` and raise `high`, both (d,), to the least and the greatest values of rows begin..end."""
    for r in range(begin, end):
        for j in range(X.shape[1]):
            low[j] = min(low[j], X[r, j])
            high[j] = max(high[j], X[r, j])


@kernel
def bin_of(x: float, low: float, high: float, inverse: float, inside: int) -> int:
    """Give the bin of one value: 0 below the range, 1..inside in it, inside + 1 above it."""
    if x < low:
        return 0
    if x > high:
        return inside + 1
    place = (0.5 * x - 0.5 * low) * inverse
    return 1 + int(place) if place < inside else inside


@kernel
def count_bins(
    X: Floats, low: Floats, high: Floats, inverse: Floats, counts: Ints, begin: int, end: int
) -> None:
    """Add rows begin..end to each column's counts, shape (d, bins)."""
    inside = counts.shape[1] - 2
    for r in range(begin, end):
        for j in range(X.shape[1]):
            counts[j, bin_of(X[r, j], low[j], high[j], inverse[j], inside)] += 1


@kernel
def add_parts(
    X: Floats,
    low: Floats,
    high: Floats,
    inverse: Floats,
    parts: Floats,
    shares: Floats,
    totals: Floats,
    begin: int,
    end: int,
) -> None:
    """Write the sum of each row's parts, (d, bins); and each column's part, if `shares` is not empty."""
    inside = parts.shape[1] - 2
    for r in range(begin, end):
        total = 0.0
        for j in range(X.shape[1]):
            part = parts[j, bin_of(X[r, j], low[j], high[j], inverse[j], inside)]
            total += part
            if shares.shape[0] > 0:
                shares[r, j] = part
        totals[r] = total
