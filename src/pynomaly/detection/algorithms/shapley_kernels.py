"""Kernels of exact Shapley values of isolation trees, in time linear in the number of nodes.

The value of a set of columns is the path length expected when a row's own way is followed at cuts of these
columns, and both ways, by their training rows, at all others (Lundberg et al. 2020, path-dependent). For one
leaf that is its length times a product over the columns cut on its path: the column's part o is 1 or 0 (the
row fulfils its cuts or not) with the column, and z, the share of rows that pass its cuts, without. A
column's Shapley value is the integral over q from 0 to 1 of (o - z) * product over the other columns of
(z + (o - z) * q): a polynomial, so Gauss-Legendre quadrature of enough points is exact. The products are
made on the way down a tree and summed on the way up, four points at a time.
"""

import math

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Singles, kernel

POINTS = 4
EULER_GAMMA = 0.5772156649015329
LONGEST = 40.0


@kernel
def leaf_rows(extra: float) -> float:
    """Give how many training rows a leaf holds whose path is `extra` longer than it is deep (at least 1)."""
    if extra < 0.5:
        return 1.0
    if extra < 1.1:
        return 2.0
    extra = min(extra, LONGEST)
    n = math.exp(extra / 2.0 - EULER_GAMMA) + 2.0
    for _ in range(20):  # Newton's steps towards the inverse of `average_path`
        path = 2.0 * (math.log(n - 1.0) + EULER_GAMMA) - 2.0 * (n - 1.0) / n
        n = max(3.0, n - (path - extra) / (2.0 / (n - 1.0) - 2.0 / (n * n)))
    return float(round(n))


@kernel
def prepare(feature: Codes, left: Codes, value: Singles, roots: Ints, above: Codes, share: Floats) -> None:
    """For each node that a cut leads to, find what does not depend on the row.

    `above`: the node on the way to it that the last cut before of the same column leads to (within its tree;
    -1: none). `share`: the share of rows that pass all cuts of that column on the way.
    """
    count = np.zeros(len(left))
    depth = np.zeros(len(left), np.int64)
    parent = np.zeros(len(left), np.int64)
    for tree in range(len(roots) - 1):
        root = roots[tree]
        above[root], share[root] = -1, 1.0
        for node in range(root, roots[tree + 1]):
            if left[node] > 0:
                for child in range(root + left[node], root + left[node] + 2):
                    depth[child], parent[child] = depth[node] + 1, node
        for node in range(roots[tree + 1] - 1, root - 1, -1):
            if left[node] == 0:
                count[node] = leaf_rows(value[node] - depth[node])
            if node > root:
                count[parent[node]] += count[node]
        for node in range(root + 1, roots[tree + 1]):
            cut = parent[node]
            above[node], share[node] = -1, count[node] / count[cut]
            at = cut
            while at > root:
                if feature[parent[at]] == feature[cut]:
                    above[node] = at - root
                    share[node] *= share[at]
                    break
                at = parent[at]


@kernel
def fill_tables(
    above: Codes, share: Floats, roots: Ints, points: Floats, weights: Floats, down: Floats, up: Floats
) -> None:
    """Write the factors of each node, shape (nodes, 3, POINTS), for four quadrature points.

    The second index is 2 if the row fulfils all cuts of the node's column on the way to it, 1 if all but the
    last, 0 if not even those. `down` leads from the parent's product to the node's; `up` is the part of the
    node's sum that its column gets.
    """
    for tree in range(len(roots) - 1):
        root = roots[tree]
        for node in range(root + 1, roots[tree + 1]):
            z = share[node]
            before = 1.0 if above[node] < 0 else share[root + above[node]]
            for case in range(3):
                o, was = float(case // 2), float(min(case, 1))
                for k in range(POINTS):
                    now = z + (o - z) * points[k]
                    then = before + (was - before) * points[k]
                    down[node, case, k] = now / then
                    up[node, case, k] = weights[k] * ((o - z) / now - (was - before) / then)


@kernel
def add_shapley_values(
    X: Singles,
    feature: Codes,
    threshold: Singles,
    left: Codes,
    value: Singles,
    roots: Ints,
    above: Codes,
    down: Floats,
    up: Floats,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """Take each column's Shapley value, over the trees and four points, off rows begin..end of `out`."""
    most = int(np.diff(roots).max())
    sums = np.empty((most, POINTS))
    fulfilled = np.empty(most, np.int64)
    for tree in range(len(roots) - 1):
        root, size = roots[tree], roots[tree + 1] - roots[tree]
        for r in range(begin, end):
            sums[0] = 1.0
            for i in range(size):
                a = left[root + i]
                if a == 0:
                    length = np.float64(value[root + i])
                    for k in range(POINTS):
                        sums[i, k] *= length
                    continue
                right = int(X[r, feature[root + i]] > threshold[root + i])
                last = above[root + a]
                before = 1 if last < 0 else fulfilled[last]
                for side in range(2):
                    child = a + side
                    fulfilled[child] = before * int(right == side)
                    case = before + fulfilled[child]
                    for k in range(POINTS):
                        sums[child, k] = sums[i, k] * down[root + child, case, k]
            for i in range(size - 1, -1, -1):
                a = left[root + i]
                if a == 0:
                    continue
                last = above[root + a]
                before = 1 if last < 0 else fulfilled[last]
                case, other = before + fulfilled[a], before + fulfilled[a + 1]
                total = 0.0
                for k in range(POINTS):
                    total += sums[a, k] * up[root + a, case, k] + sums[a + 1, k] * up[root + a + 1, other, k]
                    sums[i, k] = sums[a, k] + sums[a + 1, k]
                out[r, feature[root + i]] -= total
