"""Exact Shapley values of isolation trees: how much each column shortens a row's path."""

import math

import numpy as np

from pynomaly.detection.algorithms import shapley_kernels as kernels
from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Singles


class ShapleyValues:
    """Tables of one forest (see `shapley_kernels`), made once; then O(nodes) for each row.

    `unlike`: how many different columns the cuts of one path have at most.
    """

    def __init__(
        self, feature: Codes, threshold: Singles, left: Codes, value: Singles, roots: Ints, unlike: int
    ) -> None:
        """Make the tables."""
        self.nodes = feature, threshold, left, value, roots
        self.above = np.empty(len(left), np.int32)
        share = np.empty(len(left))
        kernels.prepare(feature, left, value, roots, self.above, share)
        self.tables = []
        for points, weights in quadrature(unlike):
            down = np.zeros((len(left), 3, kernels.POINTS))
            up = np.zeros((len(left), 3, kernels.POINTS))
            kernels.fill_tables(self.above, share, roots, points, weights, down, up)
            self.tables.append((down, up))

    def add(self, X: Singles, out: Floats, begin: int, end: int) -> None:
        """Add by how much each column shortens the paths of rows begin..end, summed over the trees."""
        for down, up in self.tables:
            kernels.add_shapley_values(X, *self.nodes, self.above, down, up, out, begin, end)


def quadrature(unlike: int) -> list[tuple[Floats, Floats]]:
    """Give points and weights, four at a time, that integrate polynomials of degree `unlike` - 1 exactly."""
    count = max(1, math.ceil(unlike / 2 / kernels.POINTS)) * kernels.POINTS
    points, weights = np.polynomial.legendre.leggauss(count)
    points, weights = (points + 1) / 2, weights / 2
    step = kernels.POINTS
    return [(points[i : i + step].copy(), weights[i : i + step].copy()) for i in range(0, count, step)]
