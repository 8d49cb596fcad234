"""Numba kernel for neighbourhoods that hold a large part of few points: all distances, then a selection."""

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, kernel

BINS = 256
SMALLEST = 1e-290


@kernel
def mean_powers(
    queries: Floats, columns: Floats, k: int, squared: bool, out: Floats, begin: int, end: int
) -> None:
    """Write each query's mean distance (or squared distance) to its `k` nearest points into `out`.

    `columns` has the points' coordinates, (d, n), k < n. A query that equals a point leaves one copy of it
    out. Distances are counted in bins; only the bin that holds the k-th is sorted out further, by quickselect
    (Hoare 1961). Time: O(n d) for each query.
    """
    n = columns.shape[1]
    powers, bins, counts = np.empty(n), np.empty(n, np.int32), np.empty(BINS, np.int64)
    for i in range(begin, end):
        nearest, farthest = squared_distances(queries[i], columns, powers)
        count = k + 1 if nearest == 0.0 else k
        scale = (BINS - 1) / (farthest - nearest) if farthest - nearest > SMALLEST else 0.0
        counts[:] = 0
        for p in range(n):
            bins[p] = np.int32((powers[p] - nearest) * scale)
        for p in range(n):
            counts[bins[p]] += 1
        split, below = 0, 0
        while below + counts[split] < count:
            below += counts[split]
            split += 1
        total, size = 0.0, 0
        for p in range(n):
            if bins[p] < split:
                total += powers[p] if squared else np.sqrt(powers[p])
            elif bins[p] == split:
                powers[size] = powers[p]
                size += 1
        smallest_first(powers, size, count - below)
        for p in range(count - below):
            total += powers[p] if squared else np.sqrt(powers[p])
        out[i] = total / k


@kernel
def squared_distances(query: Floats, columns: Floats, out: Floats) -> tuple[float, float]:
    """Write the squared distance of `query`, (d,), to each point; give the least and the greatest."""
    d, n = columns.shape
    out[:] = 0.0
    for j in range(d):
        x = query[j]
        for p in range(n):
            gap = columns[j, p] - x
            out[p] += gap * gap
    nearest, farthest = out[0], out[0]
    for p in range(n):
        nearest = min(nearest, out[p])
        farthest = max(farthest, out[p])
    return nearest, farthest


@kernel
def smallest_first(values: Floats, size: int, wanted: int) -> None:
    """Put the `wanted` smallest of the first `size` values before the others (1 <= wanted <= size)."""
    low, high = 0, size - 1
    while low < high:
        a, b, c = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(a, b), min(max(a, b), c))
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                kept = values[left]
                values[left] = values[right]
                values[right] = kept
                left += 1
                right -= 1
        if wanted - 1 <= right:
            high = right
        elif wanted - 1 >= left:
            low = left
        else:
            break
