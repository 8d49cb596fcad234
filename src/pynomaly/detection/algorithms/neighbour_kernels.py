"""Kernels of the neighbour search: build a k-d tree, find the nearest points, exactly.

Points are stored column by column, in tree order, so that a leaf's points are measured side by side.
Coordinates are always added up in the same order: a box is then never farther than a point in it, rounding
included.
"""

import numpy as np

from pynomaly.detection.algorithms.kernels import Floats, Ints, kernel

LEAF = 32
EUCLIDEAN, MANHATTAN, CHEBYSHEV, MINKOWSKI = 0, 1, 2, 3


@kernel
def power(gap: float, metric: int, p: float) -> float:
    """Give one coordinate's share of the reduced distance (not yet rooted)."""
    if metric == EUCLIDEAN:
        return gap * gap
    if metric == MINKOWSKI:
        return float(abs(gap) ** p)
    return abs(gap)


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
def bound(columns: Floats, rows: Ints, box: Floats) -> int:
    """Write the box around `rows` into `box`, shape (2, d); give its widest column."""
    widest, width = 0, -1.0
    for j in range(columns.shape[0]):
        low = columns[j, rows[0]]
        high = low
        for row in rows:
            low = min(low, columns[j, row])
            high = max(high, columns[j, row])
        box[0, j], box[1, j] = low, high
        if high - low > width:
            widest, width = j, high - low
    return widest


@kernel
def build_tree(columns: Floats) -> tuple[Ints, Ints, Floats]:
    """Build a balanced tree on `columns`, shape (d, n).

    Gives the tree order of the points, each node's (begin, end, left child or 0), and its box, shape
    (nodes, 2, d).
    """
    d, n = columns.shape
    rows = np.arange(n)
    most = 1
    while most * LEAF < n:
        most *= 2
    nodes = np.zeros((2 * most, 3), np.int64)
    boxes = np.empty((2 * most, 2, d))
    nodes[0, 1] = n
    count, node = 1, 0
    while node < count:
        begin, end = nodes[node, 0], nodes[node, 1]
        widest = bound(columns, rows[begin:end], boxes[node])
        if end - begin > LEAF:
            middle = (begin + end) // 2
            select(columns[widest], rows[begin:end], middle - begin)
            nodes[node, 2] = count
            nodes[count, 0], nodes[count, 1] = begin, middle
            nodes[count + 1, 0], nodes[count + 1, 1] = middle, end
            count += 2
        node += 1
    return rows, nodes[:count].copy(), boxes[:count].copy()


@kernel
def box_distance(query: Floats, box: Floats, metric: int, p: float) -> float:
    """Give the least reduced distance of `query` to a point in `box`."""
    total = 0.0
    for j in range(len(query)):
        gap = max(max(box[0, j] - query[j], query[j] - box[1, j]), 0.0)
        share = power(gap, metric, p)
        total = max(total, share) if metric == CHEBYSHEV else total + share
    return total


@kernel
def leaf_distances(
    query: Floats, points: Floats, begin: int, end: int, metric: int, p: float, out: Floats
) -> None:
    """Write the reduced distances of `query` to the points of one leaf."""
    m = end - begin
    out[:m] = 0.0
    for j in range(len(query)):
        x, column = query[j], points[j, begin:end]
        if metric == EUCLIDEAN:
            for i in range(m):
                gap = x - column[i]
                out[i] += gap * gap
        elif metric == CHEBYSHEV:
            for i in range(m):
                out[i] = max(out[i], abs(x - column[i]))
        else:
            for i in range(m):
                out[i] += power(x - column[i], metric, p)


@kernel
def replace_farthest(distances: Floats, indices: Ints, distance: float, index: int) -> None:
    """Replace the top of a heap (farthest first; of equals, the largest row number) and restore it."""
    size, place = len(distances), 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            distances[other] > distances[child]
            or (distances[other] == distances[child] and indices[other] > indices[child])
        ):
            child = other
        if distances[child] < distance or (distances[child] == distance and indices[child] < index):
            break
        distances[place], indices[place] = distances[child], indices[child]
        place = child
    distances[place], indices[place] = distance, index


@kernel
def sort_heap(distances: Floats, indices: Ints) -> None:
    """Sort a heap of neighbours, nearest first."""
    for last in range(len(distances) - 1, 0, -1):
        distance, index = distances[last], indices[last]
        distances[last], indices[last] = distances[0], indices[0]
        replace_farthest(distances[:last], indices[:last], distance, index)


@kernel
def search(
    query: Floats,
    points: Floats,
    order: Ints,
    nodes: Ints,
    boxes: Floats,
    metric: int,
    p: float,
    distances: Floats,
    indices: Ints,
    stack: Ints,
    bounds: Floats,
    leaf: Floats,
) -> None:
    """Fill the heap with the nearest points of one query: reduced distances and row numbers."""
    distances[:] = np.inf
    indices[:] = -1
    stack[0], bounds[0], top = 0, 0.0, 1
    while top > 0:
        top -= 1
        node = stack[top]
        if bounds[top] >= distances[0]:
            continue
        begin, end, child = nodes[node]
        if child == 0:
            leaf_distances(query, points, begin, end, metric, p, leaf)
            for i in range(end - begin):
                if leaf[i] < distances[0]:
                    replace_farthest(distances, indices, leaf[i], order[begin + i])
            continue
        first = box_distance(query, boxes[child], metric, p)
        second = box_distance(query, boxes[child + 1], metric, p)
        nearer = 0 if first <= second else 1
        stack[top], bounds[top] = child + 1 - nearer, max(first, second)
        stack[top + 1], bounds[top + 1] = child + nearer, min(first, second)
        top += 2


@kernel
def find_neighbours(
    queries: Floats,
    points: Floats,
    order: Ints,
    nodes: Ints,
    boxes: Floats,
    metric: int,
    p: float,
    distances: Floats,
    indices: Ints,
    begin: int,
    end: int,
) -> None:
    """Find the k nearest points of queries begin..end: distances and row numbers, both (m, k), nearest first.

    A query that is itself a point leaves one copy of it out.
    """
    k = distances.shape[1]
    near, which = np.empty(k + 1), np.empty(k + 1, np.int64)
    stack, bounds = np.empty(128, np.int64), np.empty(128)
    leaf = np.empty(LEAF)
    for r in range(begin, end):
        search(queries[r], points, order, nodes, boxes, metric, p, near, which, stack, bounds, leaf)
        sort_heap(near, which)
        skip = 1 if near[0] == 0.0 else 0
        for i in range(k):
            distance = near[i + skip]
            if metric == EUCLIDEAN:
                distance = np.sqrt(distance)
            elif metric == MINKOWSKI:
                distance = distance ** (1.0 / p)
            distances[r, i], indices[r, i] = distance, which[i + skip]


@kernel
def merge_products(
    queries: Floats,
    points: Floats,
    products: Floats,
    query_norms: Floats,
    point_norms: Floats,
    first: int,
    distances: Floats,
    indices: Ints,
    begin: int,
    end: int,
) -> None:
    """Take one tile of inner products into the heaps of queries begin..end, all Euclidean.

    A product gives a distance up to rounding; only points that may be near enough, rounding considered, are
    measured exactly. So the answer does not depend on how the products were rounded. `first` is the row
    number of the tile's first point.
    """
    d = queries.shape[1]
    slack = 4.0 * (d + 8) * 2.220446049250313e-16
    for r in range(begin, end):
        for i in range(products.shape[1]):
            norms = query_norms[r] + point_norms[i]
            if norms - 2.0 * products[r, i] - slack * norms > distances[r, 0]:
                continue
            distance = 0.0
            for j in range(d):
                gap = queries[r, j] - points[i, j]
                distance += gap * gap
            if distance < distances[r, 0]:
                replace_farthest(distances[r], indices[r], distance, first + i)


@kernel
def finish_heaps(near: Floats, which: Ints, distances: Floats, indices: Ints, begin: int, end: int) -> None:
    """Sort the heaps of queries begin..end, leave out one copy of the query, and take the roots."""
    for r in range(begin, end):
        sort_heap(near[r], which[r])
        skip = 1 if near[r, 0] == 0.0 else 0
        for i in range(distances.shape[1]):
            distances[r, i], indices[r, i] = np.sqrt(near[r, i + skip]), which[r, i + skip]


@kernel
def reach_densities(distances: Floats, indices: Ints, reach: Floats, out: Floats) -> None:
    """Reachability density of each row (Breunig et al. 2000, definition 6), bounded as in scikit-learn."""
    for r in range(len(out)):
        total = 0.0
        for i in range(distances.shape[1]):
            total += max(distances[r, i], reach[indices[r, i]])
        out[r] = 1.0 / (total / distances.shape[1] + 1e-10)


@kernel
def outlier_factors(indices: Ints, densities: Floats, own: Floats, out: Floats) -> None:
    """Mean density of the neighbours over the row's own (definition 7)."""
    for r in range(len(out)):
        total = 0.0
        for i in range(indices.shape[1]):
            total += densities[indices[r, i]]
        out[r] = total / indices.shape[1] / own[r]
