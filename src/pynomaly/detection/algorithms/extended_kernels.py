"""Kernels of the extended isolation forest: cuts by random hyperplanes.

Trees are flat arrays as in `forest_kernels`, but node i weighs two columns: rows whose sum of
`weight[i]` times the values of columns `feature[i]` is above `threshold[i]` go to node `below[i]` + 1, others
to `below[i]`. A leaf leads to itself: its `below` is its own place, and no sum is above its threshold.
"""

import math

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Singles, Words, kernel

BLOCK = 1024
EULER_GAMMA = 0.5772156649015329


@kernel
def average_path(n: float) -> float:
    """Mean depth of a leaf of a random binary tree on n rows (Liu, Ting & Zhou 2008, equation 1)."""
    if n <= 1:
        return 0.0
    if n == 2:
        return 1.0
    return 2.0 * (math.log(n - 1.0) + EULER_GAMMA) - 2.0 * (n - 1.0) / n


@kernel
def draw(random: Words) -> float:
    """Draw a number from [0, 1) with SplitMix64 (Steele, Lea & Flood 2014); `random` holds the state."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def find_plane(
    data: Singles, rows: Ints, candidates: Ints, random: Words, feature: Codes, weight: Singles
) -> int:
    """Draw two columns that vary among `rows`, and normal weights for them; give how many vary, at most 2.

    A weight is divided by the column's range among the rows, so that units do not matter; the greatest is 1.
    """
    remaining, found, largest = len(candidates), 0, 0.0
    scaled = np.zeros(len(feature))
    while remaining > 0 and found < len(feature):
        pick = int(draw(random) * remaining)
        column = candidates[pick]
        remaining -= 1
        candidates[pick] = candidates[remaining]
        candidates[remaining] = column
        low = data[column, rows[0]]
        high = low
        for row in rows:
            low = min(low, data[column, row])
            high = max(high, data[column, row])
        if low < high:
            size = math.sqrt(-2.0 * math.log(1.0 - draw(random)))  # Box & Muller 1958
            scaled[found] = size * math.cos(2.0 * math.pi * draw(random)) / (np.float64(high) - low)
            largest = max(largest, abs(scaled[found]))
            feature[found] = column
            found += 1
    for c in range(len(feature)):
        if c >= found:
            feature[c] = feature[0] if found > 0 else 0
        weight[c] = scaled[c] / largest if largest > 0.0 else 0.0
    return found if largest > 0.0 else 0


@kernel
def divide(
    data: Singles, rows: Ints, feature: Codes, weight: Singles, random: Words, sums: Singles
) -> tuple[int, np.float32]:
    """Draw a threshold in the range of the rows' sums, and move those at most it to the front.

    Gives how many they are (0: all sums are equal) and the threshold; `sums` is working space.
    """
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for i in range(len(rows)):
        x, y = data[feature[0], rows[i]], data[feature[1], rows[i]]
        sums[i] = weight[0] * x + weight[1] * y
        low, high = min(low, sums[i]), max(high, sums[i])
    if not low < high:
        return 0, low
    cut = np.float32(low + draw(random) * (np.float64(high) - np.float64(low)))
    cut = cut if cut < high else low
    i, j = 0, len(rows) - 1
    while i <= j:
        if sums[i] <= cut:
            i += 1
        else:
            rows[i], rows[j] = rows[j], rows[i]
            sums[i], sums[j] = sums[j], sums[i]
            j -= 1
    return i, cut


@kernel
def grow_tree(
    data: Singles,
    max_depth: int,
    random: Words,
    feature: Codes,
    weight: Singles,
    threshold: Singles,
    below: Codes,
    value: Singles,
) -> int:
    """Grow one tree on `data`, float32, shape (d, size), into node arrays; give how many nodes it has."""
    d, size = data.shape
    rows, candidates, sums = np.arange(size), np.arange(d), np.empty(size, np.float32)
    count, expected = np.zeros(len(below), np.int64), np.zeros(len(below), np.float64)
    stack = [(0, 0, size, 0)]
    nodes = 1
    while len(stack) > 0:
        node, begin, end, depth = stack.pop()
        count[node] = end - begin
        feature[node], weight[node], threshold[node], below[node] = 0, 0.0, np.inf, node
        expected[node] = depth + average_path(end - begin)
        if depth >= max_depth or end - begin < 2:
            continue
        if find_plane(data, rows[begin:end], candidates, random, feature[node], weight[node]) == 0:
            continue
        middle, cut = divide(data, rows[begin:end], feature[node], weight[node], random, sums)
        if middle == 0:
            continue
        middle += begin
        threshold[node], below[node] = cut, nodes
        stack.append((nodes + 1, middle, end, depth + 1))
        stack.append((nodes, begin, middle, depth + 1))
        nodes += 2
    for node in range(nodes - 1, -1, -1):  # children come after their parent
        a = below[node]
        if a > node:
            expected[node] = (count[a] * expected[a] + count[a + 1] * expected[a + 1]) / count[node]
        value[node] = expected[node]
    return nodes


@kernel
def grow_trees(
    data: Singles,
    max_depth: int,
    seeds: Words,
    feature: Codes,
    weight: Singles,
    threshold: Singles,
    below: Codes,
    value: Singles,
    nodes: Ints,
) -> None:
    """Grow one tree on each of `data`, shape (trees, d, size), into a row of the node arrays."""
    random = np.empty(1, np.uint64)
    for tree in range(len(seeds)):
        random[0] = seeds[tree]
        nodes[tree] = grow_tree(
            data[tree],
            max_depth,
            random,
            feature[tree],
            weight[tree],
            threshold[tree],
            below[tree],
            value[tree],
        )


@kernel
def sum_paths(
    X: Singles,
    feature: Codes,
    weight: Singles,
    threshold: Singles,
    below: Codes,
    value: Singles,
    roots: Ints,
    depths: Ints,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """Sum the path lengths of rows begin..end over all trees, a level at a time for many rows at once."""
    d = X.shape[1]
    block = np.empty(d * BLOCK, np.float32)
    place = np.empty(BLOCK, np.uint32)
    total = np.empty(BLOCK, np.float64)
    for start in range(begin, end, BLOCK):
        size = min(BLOCK, end - start)
        for r in range(size):
            for j in range(d):
                block[j * BLOCK + r] = X[start + r, j]
        total[:size] = 0.0
        for tree in range(len(roots) - 1):
            part = slice(roots[tree], roots[tree + 1])
            columns, weights, cuts = feature[part], weight[part], threshold[part]
            ways, lengths = below[part], value[part]
            place[:size] = 0
            for _ in range(depths[tree]):
                for r in range(size):
                    i = place[r]
                    x = block[np.uint32(columns[i, 0]) * np.uint32(BLOCK) + np.uint32(r)]
                    y = block[np.uint32(columns[i, 1]) * np.uint32(BLOCK) + np.uint32(r)]
                    above = weights[i, 0] * x + weights[i, 1] * y > cuts[i]
                    place[r] = np.uint32(ways[i]) + np.uint32(above)
            for r in range(size):
                total[r] += lengths[place[r]]
        for r in range(size):
            out[start + r] = total[r]


@kernel
def attribute_paths(
    X: Singles,
    feature: Codes,
    weight: Singles,
    threshold: Singles,
    below: Codes,
    value: Singles,
    roots: Ints,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """Add up, for rows begin..end and each column, by how much its cuts shortened the expected path.

    What a plane takes off goes to its columns by how far each moves the row from the median to that side;
    when none does, to all alike.
    """
    for r in range(begin, end):
        for tree in range(len(roots) - 1):
            root = roots[tree]
            node = root
            while root + below[node] > node:
                one, two = feature[node, 0], feature[node, 1]
                x, y = weight[node, 0] * X[r, one], weight[node, 1] * X[r, two]
                right = x + y > threshold[node]
                first = max(np.float64(x if right else -x), 0.0)
                second = max(np.float64(y if right else -y), 0.0)
                part = first / (first + second) if first + second > 0.0 else 0.5
                child = root + below[node] + np.int64(right)
                shorter = np.float64(value[node]) - np.float64(value[child])
                out[r, one] += shorter * part
                out[r, two] += shorter * (1.0 - part)
                node = child
