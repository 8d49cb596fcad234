"""Kernels of k-means clustering, and of distances to clusters' centres."""

import math

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, Ints, kernel


@kernel
def fill_distances(x: Floats, centers: Floats, distances: Floats) -> None:
    """Write the squared distances of one row from `centers`, shape (d, k)."""
    distances[:] = 0.0
    for j in range(len(x)):
        for c in range(len(distances)):
            gap = x[j] - centers[j, c]
            distances[c] += gap * gap


@kernel
def assign(
    X: Floats, centers: Floats, sums: Floats, counts: Ints, inertia: Floats, begin: int, end: int, part: int
) -> None:
    """Assign rows begin..end to the nearest of `centers`, shape (d, k).

    Adds to this part's `sums`, shape (parts, d, k), `counts`, shape (parts, k), and `inertia`.
    """
    d, k = centers.shape
    distances = np.empty(k)
    for r in range(begin, end):
        fill_distances(X[r], centers, distances)
        nearest = int(np.argmin(distances))
        counts[part, nearest] += 1
        inertia[part] += distances[nearest]
        for j in range(d):
            sums[part, j, nearest] += X[r, j]


@kernel
def lower(X: Floats, row: int, least: Floats, lowered: Floats) -> float:
    """Write each row's squared distance from the nearest centre, were `row` one; give their sum."""
    total = 0.0
    for r in range(X.shape[0]):
        distance = 0.0
        for j in range(X.shape[1]):
            gap = X[r, j] - X[row, j]
            distance += gap * gap
        lowered[r] = min(least[r], distance)
        total += lowered[r]
    return total


@kernel
def center_distances(
    X: Floats, centers: Floats, small: Ints, shares: Floats, out: Floats, begin: int, end: int
) -> None:
    """Write the distance of rows begin..end from the centre that they are measured from.

    That is the nearest centre; if its cluster is small, the nearest centre of a large one. `shares`, if not
    empty, takes each column's part of the distance: its squared gap over the distance.
    """
    d, k = centers.shape
    distances = np.empty(k)
    for r in range(begin, end):
        fill_distances(X[r], centers, distances)
        chosen = int(np.argmin(distances))
        if small[chosen]:
            for c in range(k):
                if not small[c] and (small[chosen] or distances[c] < distances[chosen]):
                    chosen = c
        out[r] = math.sqrt(distances[chosen])
        if shares.shape[0] > 0:
            for j in range(d):
                gap = X[r, j] - centers[j, chosen]
                shares[r, j] = gap * gap / out[r] if out[r] > 0.0 else 0.0
