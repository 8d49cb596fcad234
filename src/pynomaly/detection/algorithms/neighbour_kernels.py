"""Kernels of the neighbour search: the nearest of points that lie in leaves (see `partition_kernels`).

Queries that lie near each other look at a leaf together. A leaf is passed over when its box is farther than
what a query has found. Its points are measured side by side in single precision, relative to the leaf's
centre; those that may be near enough, rounding considered, are measured exactly. Of equal distances the point
that is first in tree order wins: so what a query finds does not depend on the queries around it.

"Reduced" distances are not yet rooted.
"""

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Singles, kernel, rough_kernel

EUCLIDEAN, MANHATTAN, CHEBYSHEV, MINKOWSKI = 0, 1, 2, 3

GROUP, FEW = 256, 32
"""At most so many queries look together, and as few when the next one lies in another leaf."""

REFRESH = 16
"""After so many leaves, a group's farthest neighbour is looked up again."""

ROUNDING = 2.4e-7
"""Four times the relative rounding error of single precision."""

COARSE = 1e15
"""Queries farther from a leaf's centre are measured exactly; squares would leave single precision."""

SURE = 1 + 1e-9
"""Much more than double precision loses: a box is not passed over because its sum was rounded otherwise."""

TINY = 1e-36
"""Much more than what single precision loses near zero."""

AT_ONCE, STRIP = 4, 32
"""So many queries are measured together; in strips of so many, points that are near enough are looked for."""

Space = tuple[Floats, Ints, Ints, Singles, Singles, Floats, Floats, Floats, Floats]
"""Points in tree order; their row numbers; leaf begins; cells, their norms, centres, radii; boxes' lows and
highs."""

Room = tuple[Singles, Singles, Floats]
"""Working space: four queries relative to a leaf's centre, their rough measures, their norms."""

Rule = tuple[int, float, int, float]
"""Metric and power of the distance; another metric that is never more than it times the stretch."""


@kernel
def measure(queries: Floats, r: int, points: Floats, at: int, metric: int, p: float) -> float:
    """Give the reduced distance of a query to a point; for `MINKOWSKI` the distance itself."""
    total, d = 0.0, queries.shape[1]
    if metric == EUCLIDEAN:
        whole, s, t, u = d // 4 * 4, 0.0, 0.0, 0.0  # four sums, for none has to wait for another
        for j in range(0, whole, 4):
            a, b = queries[r, j] - points[at, j], queries[r, j + 1] - points[at, j + 1]
            c, e = queries[r, j + 2] - points[at, j + 2], queries[r, j + 3] - points[at, j + 3]
            total, s, t, u = total + a * a, s + b * b, t + c * c, u + e * e
        for j in range(whole, d):
            gap = queries[r, j] - points[at, j]
            total += gap * gap
        total += s + (t + u)
    elif metric == MANHATTAN:
        for j in range(d):
            total += abs(queries[r, j] - points[at, j])
    else:
        for j in range(d):
            total = max(total, abs(queries[r, j] - points[at, j]))
        if metric == MINKOWSKI and total > 0:
            powers = 0.0
            for j in range(d):
                powers += (abs(queries[r, j] - points[at, j]) / total) ** p
            total *= powers ** (1 / p)
    return total


@kernel
def replace_farthest(near: Floats, which: Ints, i: int, size: int, distance: float, place: int) -> None:
    """Replace the top of heap `i` (farthest first; of equals, the last in tree order) and restore it."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            near[i, other] > near[i, child]
            or (near[i, other] == near[i, child] and which[i, other] > which[i, child])
        ):
            child = other
        if near[i, child] < distance or (near[i, child] == distance and which[i, child] < place):
            break
        near[i, at], which[i, at] = near[i, child], which[i, child]
        at = child
    near[i, at], which[i, at] = distance, place


@kernel
def sort_heap(near: Floats, which: Ints, i: int) -> None:
    """Sort heap `i`, nearest first."""
    for last in range(near.shape[1] - 1, 0, -1):
        distance, place = near[i, last], which[i, last]
        near[i, last], which[i, last] = near[i, 0], which[i, 0]
        replace_farthest(near, which, i, last, distance, place)


@rough_kernel
def multiply(rows: Singles, cells: Singles, norms: Singles, leaf: int, out: Singles) -> None:
    """Write the squared norms of one leaf's points, plus their products with each of four `rows`.

    Five columns at a time, so that a point's coordinate is loaded once for four products.
    """
    for i in range(cells.shape[2]):
        out[0, i] = out[1, i] = out[2, i] = out[3, i] = norms[leaf, i]
    for j in range(0, cells.shape[1], 5):
        a, b, c, d, e = rows[0, j], rows[0, j + 1], rows[0, j + 2], rows[0, j + 3], rows[0, j + 4]
        f, g, h, k, m = rows[1, j], rows[1, j + 1], rows[1, j + 2], rows[1, j + 3], rows[1, j + 4]
        n, o, p, q, r = rows[2, j], rows[2, j + 1], rows[2, j + 2], rows[2, j + 3], rows[2, j + 4]
        s, t, u, v, w = rows[3, j], rows[3, j + 1], rows[3, j + 2], rows[3, j + 3], rows[3, j + 4]
        for i in range(cells.shape[2]):
            x0, x1, x2 = cells[leaf, j, i], cells[leaf, j + 1, i], cells[leaf, j + 2, i]
            x3, x4 = cells[leaf, j + 3, i], cells[leaf, j + 4, i]
            out[0, i] = out[0, i] + a * x0 + b * x1 + c * x2 + d * x3 + e * x4
            out[1, i] = out[1, i] + f * x0 + g * x1 + h * x2 + k * x3 + m * x4
            out[2, i] = out[2, i] + n * x0 + o * x1 + p * x2 + q * x3 + r * x4
            out[3, i] = out[3, i] + s * x0 + t * x1 + u * x2 + v * x3 + w * x4


@kernel
def add_gaps(offsets: Singles, cells: Singles, leaf: int, shape: int, out: Singles) -> None:
    """Write the sum, or for `CHEBYSHEV` the largest, of the gaps between rows of `offsets` and points."""
    out[:] = np.float32(0)
    for b in range(len(offsets)):
        for j in range(cells.shape[1]):
            a = offsets[b, j]
            for i in range(cells.shape[2]):
                gap = abs(a - cells[leaf, j, i])
                out[b, i] = out[b, i] + gap if shape == MANHATTAN else max(out[b, i], gap)


@kernel
def rough_limit(distance: float, norm: float, radius: float, rule: Rule, d: int) -> float:
    """Bound what the rough measures are for points nearer than the reduced `distance`, rounding included.

    `norm` is the query's squared distance from the leaf's centre.
    """
    metric, _, shape, stretch = rule
    plain = (np.sqrt(distance) if metric == EUCLIDEAN else distance) * stretch * (1 + ROUNDING)
    far = np.sqrt(norm) + radius
    if not far < COARSE:
        return np.inf
    if shape == EUCLIDEAN:
        return float(plain * plain - norm + (d + 8) * ROUNDING * far * far + TINY)
    return float(plain + (d + 8) * ROUNDING * (plain + radius) + TINY)


@rough_kernel
def place_queries(
    queries: Floats, group: Ints, some: Ints, centers: Floats, leaf: int, room: Room, factor: float
) -> None:
    """Write up to four queries, times `factor`, relative to a leaf's centre, and their squared norms."""
    offsets, _, norms = room
    for b in range(len(some)):
        r, norm = group[some[b]], 0.0
        for j in range(queries.shape[1]):
            offset = queries[r, j] - centers[leaf, j]
            norm += offset * offset
            offsets[b, j] = factor * offset
        norms[b] = norm


@kernel
def scan(
    queries: Floats,
    group: Ints,
    active: Ints,
    leaf: int,
    space: Space,
    rule: Rule,
    near: Floats,
    which: Ints,
    room: Room,
) -> None:
    """Take the points of one leaf into the heaps of the active queries of a group."""
    points, _, begins, cells, cell_norms, centers, radii, _, _ = space
    offsets, rough, norms = room
    metric, p, shape = rule[0], rule[1], rule[2]
    d, begin, radius = queries.shape[1], begins[leaf], radii[leaf]
    size, factor = begins[leaf + 1] - begin, -2.0 if shape == EUCLIDEAN else 1.0
    for a in range(0, len(active), AT_ONCE):
        some = active[a : a + AT_ONCE]
        place_queries(queries, group, some, centers, leaf, room, factor)
        if shape == EUCLIDEAN:
            multiply(offsets, cells, cell_norms, leaf, rough)
        else:
            add_gaps(offsets, cells, leaf, shape, rough)
        for b in range(len(some)):
            i = some[b]
            limit = np.float32(rough_limit(near[i, 0], norms[b], radius, rule, d))
            found = np.int32(0)
            for t in range(rough.shape[1]):
                found = np.int32(found | np.int32(not rough[b, t] > limit))  # also when it is not a number
            if found == 0:
                continue
            for first in range(0, size, STRIP):
                last, found = min(first + STRIP, size), np.int32(0)
                for t in range(first, last):
                    found = np.int32(found | np.int32(not rough[b, t] > limit))
                for t in range(first, last if found else first):
                    if not rough[b, t] > limit:
                        distance = measure(queries, group[i], points, begin + t, metric, p)
                        if distance < near[i, 0] or (distance == near[i, 0] and begin + t < which[i, 0]):
                            replace_farthest(near, which, i, near.shape[1], distance, begin + t)
                            limit = np.float32(rough_limit(near[i, 0], norms[b], radius, rule, d))


@kernel
def box_bounds(low: Floats, high: Floats, lows: Floats, highs: Floats, shape: int, out: Floats) -> None:
    """Write the least reduced distance of each leaf's box to the box from `low` to `high`."""
    out[:] = 0.0
    for j in range(len(low)):
        a, b = low[j], high[j]
        for leaf in range(len(out)):
            gap = max(max(lows[j, leaf] - b, a - highs[j, leaf]), 0.0)
            if shape == EUCLIDEAN:
                out[leaf] += gap * gap
            elif shape == MANHATTAN:
                out[leaf] += gap
            else:
                out[leaf] = max(out[leaf], gap)


@kernel
def query_bounds(
    rows: Floats, size: int, leaf: int, lows: Floats, highs: Floats, shape: int, out: Floats
) -> None:
    """Write the least reduced distance of one leaf's box to each of `size` queries, given by columns."""
    out[:size] = 0.0
    for j in range(rows.shape[0]):
        a, b = lows[j, leaf], highs[j, leaf]
        for i in range(size):
            gap = max(max(a - rows[j, i], rows[j, i] - b), 0.0)
            if shape == EUCLIDEAN:
                out[i] += gap * gap
            elif shape == MANHATTAN:
                out[i] += gap
            else:
                out[i] = max(out[i], gap)


@kernel
def box_limit(distance: float, rule: Rule) -> float:
    """Bound the box distance of leaves that may hold a point nearer than the reduced `distance`."""
    metric, _, shape, stretch = rule
    if metric != MINKOWSKI:
        return distance * SURE
    plain = distance * stretch * SURE
    return plain * plain if shape == EUCLIDEAN else plain


@kernel
def look_at_home(
    queries: Floats,
    group: Ints,
    homes: Ints,
    span: int,
    space: Space,
    rule: Rule,
    near: Floats,
    which: Ints,
    active: Ints,
    room: Room,
) -> None:
    """Let each query of a group look at the `span` leaves around its home."""
    first = 0
    while first < len(group):
        start = homes[group[first]] // span * span
        last = first
        while last < len(group) and homes[group[last]] // span * span == start:
            active[last - first] = last
            last += 1
        for leaf in range(start, start + span):
            scan(queries, group, active[: last - first], leaf, space, rule, near, which, room)
        first = last


@kernel
def farthest(near: Floats, size: int, rule: Rule) -> float:
    """Say beyond which box distance no query of a group looks."""
    most = 0.0
    for i in range(size):
        most = max(most, box_limit(near[i, 0], rule))
    return most


@kernel
def leaves_within(
    queries: Floats, group: Ints, space: Space, shape: int, most: float, rows: Floats, bounds: Floats
) -> Ints:
    """List the leaves within `most` of a group's box, nearest to its middle first; fill rows and bounds."""
    _, _, _, _, _, _, _, lows, highs = space
    d = queries.shape[1]
    low, high = np.full(d, np.inf), np.full(d, -np.inf)
    for i in range(len(group)):
        for j in range(d):
            value = queries[group[i], j]
            rows[j, i] = value
            low[j], high[j] = min(low[j], value), max(high[j], value)
    box_bounds(low, high, lows, highs, shape, bounds)
    middle, order = low / 2 + high / 2, np.empty(len(bounds))
    box_bounds(middle, middle, lows, highs, shape, order)
    within = np.flatnonzero(bounds <= most)
    return within[np.argsort(order[within], kind="mergesort")]


@kernel
def search_group(
    queries: Floats,
    group: Ints,
    homes: Ints,
    span: int,
    space: Space,
    rule: Rule,
    near: Floats,
    which: Ints,
) -> None:
    """Fill the heaps of a group's queries with their nearest points: reduced distances, places."""
    points, _, begins, cells, _, _, _, lows, highs = space
    shape = rule[2]
    size, d = len(group), queries.shape[1]
    near[:size], which[:size] = np.inf, len(points)
    _, columns, width = cells.shape
    room = (
        np.zeros((AT_ONCE, columns), np.float32),
        np.empty((AT_ONCE, width), np.float32),
        np.empty(AT_ONCE),
    )
    gaps, active = np.empty(size), np.empty(size, np.int64)
    look_at_home(queries, group, homes, span, space, rule, near, which, active, room)
    rows, bounds = np.empty((d, size)), np.empty(cells.shape[0])
    most = farthest(near, size, rule)
    leaves = leaves_within(queries, group, space, shape, most, rows, bounds)
    for turn in range(len(leaves)):
        leaf = leaves[turn]
        if turn % REFRESH == 0:
            most = farthest(near, size, rule)
        if bounds[leaf] > most:
            continue
        query_bounds(rows, size, leaf, lows, highs, shape, gaps)
        count = 0
        for i in range(size):
            limit = box_limit(near[i, 0], rule)
            active[count] = i
            count += ((gaps[i] < limit) | ((gaps[i] == limit) & (begins[leaf] < which[i, 0]))) & (
                homes[group[i]] // span != leaf // span
            )
        if count:
            scan(queries, group, active[:count], leaf, space, rule, near, which, room)


@kernel
def find_neighbours(
    queries: Floats,
    turns: Ints,
    homes: Ints,
    span: int,
    space: Space,
    rule: Rule,
    distances: Floats,
    indices: Codes,
    begin: int,
    end: int,
) -> None:
    """Find the k nearest points of queries turns[begin:end]: distances, row numbers, nearest first.

    `turns` lists the queries by their home leaves. A query that is itself a point leaves one copy of it out.
    """
    order, metric, k = space[1], rule[0], distances.shape[1]
    most = max(1, min(GROUP, (1 << 20) // k))
    near, which = np.empty((most, k + 1)), np.empty((most, k + 1), np.int64)
    first = begin
    while first < end:
        last = first + 1
        while last < min(end, first + most) and (
            last - first < FEW or homes[turns[last]] == homes[turns[last - 1]]
        ):
            last += 1
        search_group(queries, turns[first:last], homes, span, space, rule, near, which)
        for i in range(last - first):
            sort_heap(near, which, i)
            r, skip = turns[first + i], 1 if near[i, 0] == 0.0 else 0
            for t in range(k):
                distance = near[i, t + skip]
                distances[r, t] = np.sqrt(distance) if metric == EUCLIDEAN else distance
                indices[r, t] = order[which[i, t + skip]]
        first = last
