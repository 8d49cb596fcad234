"""Kernels that cut points into leaves of near points: a balanced k-d tree (Bentley 1975).

The tree is complete: node i has children 2i + 1 and 2i + 2, and its leaves, left to right, hold nearly equal
numbers of points.
"""

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, Ints, Singles, kernel

LOOK = 256
"""So many points of a node say which column is the widest."""

PADDING = 1e18
"""The largest coordinate that a cell holds, and the norm of its empty places."""


@kernel
def select(column: Floats, rows: Ints, middle: int) -> None:
    """Reorder `rows` so that those before `middle` are at most, those after at least, the one at `middle`."""
    low, high = 0, len(rows) - 1
    while low < high:
        pivot = column[rows[(low + high) // 2]]
        i, j = low, high
        while i <= j:
            while column[rows[i]] < pivot:
                i += 1
            while column[rows[j]] > pivot:
                j -= 1
            if i <= j:
                rows[i], rows[j] = rows[j], rows[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@kernel
def widest(columns: Floats, rows: Ints) -> int:
    """Find the column in which `rows` vary most, by a few of them."""
    found, most = 0, -1.0
    step = max(1, len(rows) // LOOK)
    count = (len(rows) + step - 1) // step
    for j in range(columns.shape[0]):
        mean = 0.0
        for i in range(0, len(rows), step):
            mean += columns[j, rows[i]] / count
        spread = 0.0
        for i in range(0, len(rows), step):
            gap = columns[j, rows[i]] - mean
            spread += gap * gap
        if spread > most:
            found, most = j, spread
    return found


@kernel
def build_tree(columns: Floats, depth: int) -> tuple[Ints, Ints, Floats, Ints]:
    """Cut `columns`, shape (d, n), into 2**depth leaves of n / 2**depth points each, or one more.

    Gives the points in tree order; each inner node's column and value (left is below it); and where each leaf
    begins, shape (leaves + 1,).
    """
    n, leaves = columns.shape[1], 1 << depth
    rows = np.arange(n)
    cuts, values = np.zeros(leaves, np.int64), np.zeros(leaves)
    begins, ends = np.zeros(2 * leaves - 1, np.int64), np.zeros(2 * leaves - 1, np.int64)
    ends[0] = n
    for node in range(leaves - 1):
        begin, end = begins[node], ends[node]
        middle = (begin + end) // 2
        cuts[node] = widest(columns, rows[begin:end])
        select(columns[cuts[node]], rows[begin:end], middle - begin)
        values[node] = columns[cuts[node], rows[middle]]
        begins[2 * node + 1], ends[2 * node + 1] = begin, middle
        begins[2 * node + 2], ends[2 * node + 2] = middle, end
    starts = np.full(leaves + 1, n)
    starts[:leaves] = begins[leaves - 1 :]
    return rows, cuts, values, starts


@kernel
def find_homes(queries: Floats, cuts: Ints, values: Floats, homes: Ints, begin: int, end: int) -> None:
    """Find the leaf whose part of space each of queries begin..end lies in."""
    leaves = len(cuts)
    for r in range(begin, end):
        node = 0
        while node < leaves - 1:
            node = 2 * node + (2 if queries[r, cuts[node]] >= values[node] else 1)
        homes[r] = node - (leaves - 1)


@kernel
def fill_cells(
    points: Floats,
    starts: Ints,
    cells: Singles,
    norms: Singles,
    centers: Floats,
    lows: Floats,
    highs: Floats,
    begin: int,
    end: int,
) -> None:
    """Write leaves begin..end of `points` (tree order): box, its centre, and the points relative to it.

    `cells` has shape (leaves, at least d, width): column by column, so that points are measured side by side,
    and holds zeros; `norms`, shape (leaves, width), takes the points' squared distances from the centre.
    """
    for leaf in range(begin, end):
        first, size = starts[leaf], starts[leaf + 1] - starts[leaf]
        norms[leaf] = PADDING
        norms[leaf, :size] = 0
        for j in range(points.shape[1]):
            low = points[first, j]
            high = low
            for i in range(size):
                low = min(low, points[first + i, j])
                high = max(high, points[first + i, j])
            lows[j, leaf], highs[j, leaf] = low, high
            centers[leaf, j] = low / 2 + high / 2
            for i in range(size):
                offset = points[first + i, j] - centers[leaf, j]
                cells[leaf, j, i] = min(max(offset, -PADDING), PADDING)
                norms[leaf, i] += cells[leaf, j, i] * cells[leaf, j, i]
