"""Kernels of isolation by nearest-neighbour ensembles: hyperspheres, and the scores of rows among them."""

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, kernel


@kernel
def make_spheres(centers: Floats, radii: Floats, isolation: Floats, begin: int, end: int) -> None:
    """Make the spheres of ensembles begin..end from their rows `centers`, shape (t, d, k).

    `radii`: squared distance of each row from the nearest other one. `isolation`: 1 less that one's squared
    radius over the row's own.
    """
    d, k = centers.shape[1:]
    nearest = np.empty(k, np.int64)
    for t in range(begin, end):
        radii[t] = np.inf
        for a in range(k):
            for b in range(k):
                distance = 0.0
                for j in range(d):
                    gap = centers[t, j, a] - centers[t, j, b]
                    distance += gap * gap
                if a != b and distance < radii[t, a]:
                    radii[t, a], nearest[a] = distance, b
        for a in range(k):
            isolation[t, a] = 0.0
            if radii[t, a] > 0.0:
                isolation[t, a] = 1.0 - radii[t, nearest[a]] / radii[t, a]


@kernel
def mean_isolation(
    X: Floats, centers: Floats, radii: Floats, isolation: Floats, out: Floats, begin: int, end: int
) -> None:
    """Write the mean isolation of rows begin..end: that of the smallest sphere around the row, else 1."""
    ensembles, d, k = centers.shape
    distances = np.empty(k)
    for r in range(begin, end):
        total = 0.0
        for t in range(ensembles):
            distances[:] = 0.0
            for j in range(d):
                x = X[r, j]
                for c in range(k):
                    gap = x - centers[t, j, c]
                    distances[c] += gap * gap
            least, found = np.inf, 1.0
            for c in range(k):
                if distances[c] <= radii[t, c] and radii[t, c] < least:
                    least, found = radii[t, c], isolation[t, c]
            total += found
        out[r] = total / ensembles
