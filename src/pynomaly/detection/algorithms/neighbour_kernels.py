"""Kernels of the neighbour search: the nearest of points that lie in leaves (see `partition_kernels`).

Queries that lie near each other look at a leaf together. A leaf is passed over when its box is farther than
what a query has found. Its points are measured side by side in single precision, relative to the leaf's
centre; those that may be near enough, rounding considered, are measured exactly. Of equal distances the point
that is first in tree order wins: so what a query finds does not depend on the queries around it.

Coordinates are always added up in the same order: a box is then never farther than a point in it, rounding
included. "Reduced" distances are not yet rooted.
"""

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Singles, kernel

EUCLIDEAN, MANHATTAN, CHEBYSHEV, MINKOWSKI = 0, 1, 2, 3

GROUP, FEW = 128, 32
"""At most so many queries look together, and as few when the next one lies in another leaf."""

REFRESH = 16
"""After so many leaves, a group's farthest neighbour is looked up again."""

ROUNDING = 2.4e-7
"""Four times the relative rounding error of single precision."""

COARSE = 1e15
"""Leaves wider than this are measured exactly."""

OVERFLOWS = 1e37

Space = tuple[Floats, Ints, Ints, Singles, Floats, Floats, Floats, Floats]
"""Points in tree order; their row numbers; leaf begins; cells, centres, radii; boxes' lows and highs."""

Rule = tuple[int, float, int, float, float]
"""Metric and power of the distance; the metric that bounds it from below once multiplied by the stretch; how
far to look: 1, or less for an approximation (a factor on reduced distances)."""


@kernel
def measure(queries: Floats, r: int, points: Floats, at: int, metric: int, p: float) -> float:
    """Give the reduced distance of a query to a point; for `MINKOWSKI` the distance itself."""
    total, d = 0.0, queries.shape[1]
    if metric == EUCLIDEAN:
        for j in range(d):
            gap = queries[r, j] - points[at, j]
            total += gap * gap
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


@kernel
def measure_roughly(offsets: Singles, cells: Singles, leaf: int, shape: int, out: Singles) -> None:
    """Write the reduced distances of one query to the points of one leaf, in single precision."""
    d, width = cells.shape[1], cells.shape[2]
    out[:] = np.float32(0)
    j = 0
    if shape == EUCLIDEAN:
        while j + 4 < d:
            a, b, c, e, f = offsets[j], offsets[j + 1], offsets[j + 2], offsets[j + 3], offsets[j + 4]
            for i in range(width):
                s = a - cells[leaf, j, i]
                t = b - cells[leaf, j + 1, i]
                u = c - cells[leaf, j + 2, i]
                v = e - cells[leaf, j + 3, i]
                w = f - cells[leaf, j + 4, i]
                out[i] += s * s + t * t + u * u + v * v + w * w
            j += 5
        for column in range(j, d):
            a = offsets[column]
            for i in range(width):
                s = a - cells[leaf, column, i]
                out[i] += s * s
    elif shape == MANHATTAN:
        for column in range(d):
            a = offsets[column]
            for i in range(width):
                out[i] += abs(a - cells[leaf, column, i])
    else:
        for column in range(d):
            a = offsets[column]
            for i in range(width):
                out[i] = max(out[i], abs(a - cells[leaf, column, i]))


@kernel
def rough_limit(distance: float, metric: int, shape: int, stretch: float, slack: float, d: int) -> float:
    """Bound what `measure_roughly` gives for points nearer than the reduced `distance`."""
    plain = np.sqrt(distance) if metric == EUCLIDEAN else distance
    limit = plain * stretch * (1 + ROUNDING) + slack
    if shape == EUCLIDEAN:
        limit *= limit
    limit *= 1 + (d + 8) * ROUNDING
    return limit if limit < OVERFLOWS else np.inf


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
    offsets: Singles,
    rough: Singles,
) -> None:
    """Take the points of one leaf into the heaps of the active queries of a group."""
    points, _, begins, cells, centers, radii, _, _ = space
    metric, p, shape, stretch, _ = rule
    d, heap = queries.shape[1], near.shape[1]
    begin, end = begins[leaf], begins[leaf + 1]
    slack = ROUNDING * radii[leaf] if radii[leaf] < COARSE else np.inf
    for a in range(len(active)):
        i = active[a]
        r = group[i]
        for j in range(d):
            offsets[j] = queries[r, j] - centers[leaf, j]
        measure_roughly(offsets, cells, leaf, shape, rough)
        limit = np.float32(rough_limit(near[i, 0], metric, shape, stretch, slack, d))
        found = np.int32(0)
        for t in range(len(rough)):
            found = np.int32(found | np.int32(rough[t] <= limit))
        if found == 0:
            continue
        for t in range(end - begin):
            if rough[t] <= limit:
                distance = measure(queries, r, points, begin + t, metric, p)
                if distance < near[i, 0] or (distance == near[i, 0] and begin + t < which[i, 0]):
                    replace_farthest(near, which, i, heap, distance, begin + t)
                    limit = np.float32(rough_limit(near[i, 0], metric, shape, stretch, slack, d))


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
def box_limit(distance: float, metric: int, shape: int, stretch: float) -> float:
    """Bound the box distance of leaves that may hold a point nearer than the reduced `distance`."""
    if metric != MINKOWSKI:
        return distance
    plain = distance * stretch * (1 + 1e-9)
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
    caps: Floats,
    active: Ints,
    offsets: Singles,
    rough: Singles,
) -> None:
    """Let each query of a group look at the `span` leaves around its home; `caps` is how far to look then."""
    metric, _, shape, stretch, reach = rule
    first = 0
    while first < len(group):
        start = homes[group[first]] // span * span
        last = first
        while last < len(group) and homes[group[last]] // span * span == start:
            active[last - first] = last
            last += 1
        for leaf in range(start, start + span):
            scan(queries, group, active[: last - first], leaf, space, rule, near, which, offsets, rough)
        first = last
    for i in range(len(group)):
        caps[i] = reach * box_limit(near[i, 0], metric, shape, stretch)


@kernel
def farthest(near: Floats, caps: Floats, size: int, metric: int, shape: int, stretch: float) -> float:
    """Say beyond which box distance no query of a group looks."""
    most = 0.0
    for i in range(size):
        most = max(most, min(caps[i], box_limit(near[i, 0], metric, shape, stretch)))
    return most


@kernel
def leaves_within(
    queries: Floats, group: Ints, space: Space, shape: int, most: float, rows: Floats, bounds: Floats
) -> Ints:
    """List the leaves within `most` of a group's box, nearest to its middle first; fill rows and bounds."""
    _, _, _, _, _, _, lows, highs = space
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
    points, _, begins, cells, _, _, lows, highs = space
    metric, _, shape, stretch, _ = rule
    size, d = len(group), queries.shape[1]
    near[:size], which[:size] = np.inf, len(points)
    offsets, rough = np.empty(d, np.float32), np.empty(cells.shape[2], np.float32)
    caps, gaps, active = np.empty(size), np.empty(size), np.empty(size, np.int64)
    look_at_home(queries, group, homes, span, space, rule, near, which, caps, active, offsets, rough)
    rows, bounds = np.empty((d, size)), np.empty(cells.shape[0])
    most = farthest(near, caps, size, metric, shape, stretch)
    leaves = leaves_within(queries, group, space, shape, most, rows, bounds)
    for turn in range(len(leaves)):
        leaf = leaves[turn]
        if turn % REFRESH == 0:
            most = farthest(near, caps, size, metric, shape, stretch)
        if bounds[leaf] > most:
            continue
        query_bounds(rows, size, leaf, lows, highs, shape, gaps)
        count = 0
        for i in range(size):
            limit = box_limit(near[i, 0], metric, shape, stretch)
            active[count] = i
            count += (
                (gaps[i] <= caps[i])
                & ((gaps[i] < limit) | ((gaps[i] == limit) & (begins[leaf] < which[i, 0])))
                & (homes[group[i]] // span != leaf // span)
            )
        if count:
            scan(queries, group, active[:count], leaf, space, rule, near, which, offsets, rough)


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
