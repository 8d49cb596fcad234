"""Kernels of LODA: project rows on sparse directions, count histogram bins, add up their terms.

Direction t takes the columns `columns[t]` with `weights[t]`. Bin 0 of a histogram lies below its range, the
last one above.
"""

from pynomaly.detection.algorithms.kernels import Floats, Ints, kernel


@kernel
def project(row: Floats, columns: Ints, weights: Floats) -> float:
    """Give a row's coordinate along one direction."""
    total = 0.0
    for i in range(len(columns)):
        total += row[columns[i]] * weights[i]
    return total


@kernel
def find_ranges(X: Floats, columns: Ints, weights: Floats, low: Floats, high: Floats) -> None:
    """Write the range of all rows along each direction."""
    for t in range(columns.shape[0]):
        low[t] = project(X[0], columns[t], weights[t])
        high[t] = low[t]
        for r in range(1, X.shape[0]):
            place = project(X[r], columns[t], weights[t])
            low[t] = min(low[t], place)
            high[t] = max(high[t], place)


@kernel
def bin_of(place: float, low: float, high: float, inverse: float, inside: int) -> int:
    """Give the bin of one coordinate: 0 below the range, 1..inside in it, inside + 1 above it."""
    if place < low:
        return 0
    if place > high:
        return inside + 1
    step = (place - low) * inverse
    return 1 + int(step) if step < inside else inside


@kernel
def count_bins(
    X: Floats, columns: Ints, weights: Floats, low: Floats, high: Floats, inverse: Floats, counts: Ints
) -> None:
    """Add all rows to the directions' counts, shape (directions, bins)."""
    inside = counts.shape[1] - 2
    for t in range(columns.shape[0]):
        for r in range(X.shape[0]):
            place = project(X[r], columns[t], weights[t])
            counts[t, bin_of(place, low[t], high[t], inverse[t], inside)] += 1


@kernel
def add_terms(
    X: Floats,
    columns: Ints,
    weights: Floats,
    low: Floats,
    high: Floats,
    inverse: Floats,
    terms: Floats,
    parts: Floats,
    totals: Floats,
) -> None:
    """Write the mean of each row's terms; and each direction's term, if `parts` is not empty."""
    inside = terms.shape[1] - 2
    totals[:] = 0.0
    for t in range(columns.shape[0]):
        for r in range(X.shape[0]):
            place = project(X[r], columns[t], weights[t])
            term = terms[t, bin_of(place, low[t], high[t], inverse[t], inside)]
            totals[r] += term
            if parts.shape[0] > 0:
                parts[r, t] = term
    for r in range(X.shape[0]):
        totals[r] /= columns.shape[0]
