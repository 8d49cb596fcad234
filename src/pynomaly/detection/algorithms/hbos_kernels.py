"""Kernels of the histogram score: find each column's range, count its bins, add up the columns' parts.

Bin 0 of a column lies below its range and the last one above. Values are halved before they are
subtracted, so that no difference overflows: `halves` holds half of each column's least value, and `inverse`
the bins per half unit.
"""

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, kernel


@kernel
def find_ranges(X: Floats, low: Floats, high: Floats, begin: int, end: int) -> None:
    """Lower `low` and raise `high`, both (d,), to the least and the greatest values of rows begin..end."""
    for r in range(begin, end):
        for j in range(X.shape[1]):
            x = X[r, j]
            low[j] = x if x < low[j] else low[j]
            high[j] = x if x > high[j] else high[j]


@kernel
def find_bins(row: Floats, halves: Floats, inverse: Floats, bins: int, out: Codes) -> None:
    """Write the bin of each value of one row."""
    top = bins - 0.5
    for j in range(len(row)):
        place = (0.5 * row[j] - halves[j]) * inverse[j] + 1.0
        place = place if place > 0.0 else 0.0
        out[j] = np.int32(place if place < top else top)


@kernel
def count_bins(X: Floats, halves: Floats, inverse: Floats, counts: Ints, begin: int, end: int) -> None:
    """Add rows begin..end to each column's counts, shape (d, bins)."""
    d, bins = counts.shape
    found, flat = np.empty(d, np.int32), counts.ravel()
    for r in range(begin, end):
        find_bins(X[r], halves, inverse, bins, found)
        for j in range(d):
            flat[np.uint32(j * bins + found[j])] += 1


@kernel
def add_parts(
    X: Floats,
    halves: Floats,
    inverse: Floats,
    parts: Floats,
    shares: Floats,
    totals: Floats,
    begin: int,
    end: int,
) -> None:
    """Write the sum of each row's parts, (d, bins); and each column's part, if `shares` is not empty."""
    d, bins = parts.shape
    found, flat = np.empty(d, np.int32), parts.ravel()
    for r in range(begin, end):
        find_bins(X[r], halves, inverse, bins, found)
        total = 0.0
        for j in range(d):
            total += flat[np.uint32(j * bins + found[j])]
        totals[r] = total
        if shares.shape[0] > 0:
            for j in range(d):
                shares[r, j] = parts[j, found[j]]
