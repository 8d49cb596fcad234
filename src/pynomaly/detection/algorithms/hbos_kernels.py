"""Kernels of the histogram score: find each column's range, count its bins, add up the columns' parts.

Bin 0 of a column lies below its range and the last one above. Values are halved before they are
subtracted, so that no difference overflows: `halves` holds half of each column's least value, and `inverse`
the bins per half unit. Some rows are taken at a time as if they were one long row, so that processors work
on many values at once in few columns as well.
"""

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, kernel

TOGETHER = 1_024
"""About so many values are taken at a time."""


@kernel
def repeated(column: Floats, rows: int) -> Floats:
    """Write the d values of `column` once for each of so many rows, one after the other."""
    d = len(column)
    out = np.empty(d * rows)
    for i in range(rows):
        out[i * d : (i + 1) * d] = column
    return out


@kernel
def rows_together(d: int, begin: int, end: int) -> int:
    """Say how many of the rows begin..end, `d` values each, are taken at a time."""
    return max(1, min(TOGETHER // d, end - begin))


@kernel
def find_ranges(X: Floats, low: Floats, high: Floats, begin: int, end: int) -> None:
    """Lower `low` and raise `high`, both (d,), to the least and the greatest values of rows begin..end."""
    d, values = X.shape[1], X.ravel()
    few = rows_together(d, begin, end)
    least, most = repeated(low, few), repeated(high, few)
    for first in range(begin, end, few):
        some = values[first * d : min(first + few, end) * d]
        for i in range(len(some)):
            x = some[i]
            least[i] = x if x < least[i] else least[i]
            most[i] = x if x > most[i] else most[i]
    for i in range(few * d):
        low[i % d], high[i % d] = min(low[i % d], least[i]), max(high[i % d], most[i])


@kernel
def find_bins(some: Floats, halves: Floats, inverse: Floats, bins: int, out: Codes) -> None:
    """Write the bin of each value of some rows; `halves` and `inverse` are repeated for each row."""
    top = bins - 0.5
    for i in range(len(some)):
        place = (0.5 * some[i] - halves[i]) * inverse[i] + 1.0
        place = place if place > 0.0 else 0.0
        out[i] = np.int32(place if place < top else top)


@kernel
def count_bins(X: Floats, halves: Floats, inverse: Floats, counts: Ints, begin: int, end: int) -> None:
    """Add rows begin..end to each column's counts, shape (d, bins)."""
    d, bins = counts.shape
    few = rows_together(d, begin, end)
    halves, inverse = repeated(halves, few), repeated(inverse, few)
    found, flat, values = np.empty(few * d, np.int32), counts.ravel(), X.ravel()
    for first in range(begin, end, few):
        last = min(first + few, end)
        find_bins(values[first * d : last * d], halves, inverse, bins, found)
        for r in range(last - first):
            for j in range(d):
                flat[np.uint32(j * bins + found[r * d + j])] += 1


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
    few = rows_together(d, begin, end)
    halves, inverse = repeated(halves, few), repeated(inverse, few)
    found, flat, values = np.empty(few * d, np.int32), parts.ravel(), X.ravel()
    for first in range(begin, end, few):
        last = min(first + few, end)
        find_bins(values[first * d : last * d], halves, inverse, bins, found)
        for r in range(last - first):
            total = 0.0
            for j in range(d):
                total += flat[np.uint32(j * bins + found[r * d + j])]
            totals[first + r] = total
            if shares.shape[0] > 0:
                for j in range(d):
                    shares[first + r, j] = parts[j, found[r * d + j]]
