"""Kernel of the kernel density: logarithm of a sum of Gaussian bumps around points."""

import math

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, kernel

TILE = 1_024
NEGLIGIBLE = 80.0


@kernel
def log_sums(X: Floats, points: Floats, inverse: float, out: Floats, begin: int, end: int) -> None:
    """Write log(sum over points of exp(-squared distance / 2)) for rows begin..end.

    `points`, (d, n), are stored column by column, in units of the bandwidth; `inverse` is 1 / bandwidth. A
    row that equals a point leaves one copy of it out. Bumps that add less than a 1e17th are left out.
    """
    d, n = points.shape
    squares = np.empty(n)
    for r in range(begin, end):
        for first in range(0, n, TILE):
            last = min(first + TILE, n)
            tile = squares[first:last]
            tile[:] = 0.0
            for j in range(d):
                x, column = X[r, j] * inverse, points[j, first:last]
                for i in range(last - first):
                    gap = x - column[i]
                    tile[i] += gap * gap
        nearest = 0
        for i in range(n):
            if squares[i] < squares[nearest]:
                nearest = i
        if squares[nearest] == 0.0 and n > 1:
            squares[nearest] = np.inf
            nearest = 0
            for i in range(n):
                if squares[i] < squares[nearest]:
                    nearest = i
        least = squares[nearest]
        total = 0.0
        for i in range(n):
            beyond = squares[i] - least
            if beyond < NEGLIGIBLE:
                total += math.exp(-0.5 * beyond)
        out[r] = math.log(total) - 0.5 * least
