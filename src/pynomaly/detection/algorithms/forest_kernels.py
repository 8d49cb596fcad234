"""Kernels of the isolation forest: grow trees, sum path lengths, attribute them to columns.

Trees are flat arrays: node i of a tree cuts column `feature[i]` at `threshold[i]`; rows above go to node
`left[i]` + 1, others to `left[i]`; a leaf has `left[i]` = 0. `value[i]` is the path length expected below
node i. Values are compared as float32 after centring, while growing and while scoring alike.
"""

import math

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, Places, Singles, Words, kernel

BLOCK = 1024
LEAST_BLOCK, CACHED = 64, 24_576
LARGEST = 3e38
EULER_GAMMA = 0.5772156649015329
MAX_HEAP_DEPTH = 12
NOUGHT, TWO, FOUR = np.uint32(0), np.uint32(2), np.uint32(4)


@kernel
def average_path(n: float) -> float:
    """Mean depth of a leaf of a random binary tree on n rows (Liu, Ting & Zhou 2008, equation 1)."""
    if n <= 1:
        return 0.0
    if n == 2:
        return 1.0
    return 2.0 * (math.log(n - 1.0) + EULER_GAMMA) - 2.0 * (n - 1.0) / n


@kernel
def narrow(x: float, center: float, inverse: float) -> np.float32:
    """Centre one value, scale it, and make it a float32 that is not infinite."""
    value = (x - center) * inverse
    return np.float32(min(max(value, -LARGEST), LARGEST))


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
def draw_rows(n: int, size: int, with_replacement: bool, random: Words) -> Ints:
    """Draw `size` of `n` rows; without replacement by Floyd's method (Bentley & Floyd 1987)."""
    rows = np.empty(size, np.int64)
    if with_replacement:
        for i in range(size):
            rows[i] = int(draw(random) * n)
        return rows
    slots = 4
    while slots < 2 * size:
        slots *= 2
    taken = np.full(slots, -1, np.int64)
    for i in range(size):
        row = int(draw(random) * (n - size + i + 1))
        for candidate in (row, n - size + i):
            slot = (candidate * 2654435761) & (slots - 1)
            while taken[slot] >= 0 and taken[slot] != candidate:
                slot = (slot + 1) & (slots - 1)
            if taken[slot] < 0:
                taken[slot] = candidate
                rows[i] = candidate
                break
    return rows


@kernel
def draw_features(d: int, size: int, random: Words) -> Ints:
    """Draw `size` of `d` columns without replacement."""
    features = np.arange(d)
    for i in range(size):
        j = i + int(draw(random) * (d - i))
        features[i], features[j] = features[j], features[i]
    return features[:size]


@kernel
def find_cut(data: Singles, rows: Ints, candidates: Ints, random: Words) -> tuple[int, np.float32]:
    """Draw a column that varies among `rows` and a cut in it: column (-1: none varies) and threshold."""
    remaining = len(candidates)
    while remaining > 0:
        pick = int(draw(random) * remaining)
        feature = candidates[pick]
        column = data[feature]
        low = column[rows[0]]
        high = low
        for row in rows:
            low = min(low, column[row])
            high = max(high, column[row])
        if low < high:
            cut = np.float32(low + draw(random) * (np.float64(high) - np.float64(low)))
            return feature, cut if cut < high else low
        remaining -= 1
        candidates[pick] = candidates[remaining]
        candidates[remaining] = feature
    return -1, np.float32(0)


@kernel
def partition(column: Singles, rows: Ints, cut: np.float32) -> int:
    """Move the rows at most `cut` to the front; give how many they are."""
    i, j = 0, len(rows) - 1
    while i <= j:
        if column[rows[i]] <= cut:
            i += 1
        else:
            rows[i], rows[j] = rows[j], rows[i]
            j -= 1
    return i


@kernel
def grow_tree(
    data: Singles,
    candidates: Ints,
    max_depth: int,
    random: Words,
    feature: Codes,
    threshold: Singles,
    left: Codes,
    value: Singles,
) -> int:
    """Grow one tree on `data`, float32, shape (d, size), into node arrays; give how many nodes it has."""
    size = data.shape[1]
    rows = np.arange(size)
    count = np.zeros(len(feature), np.int64)
    expected = np.zeros(len(feature), np.float64)
    stack = [(0, 0, size, 0)]
    nodes = 1
    while len(stack) > 0:
        node, begin, end, depth = stack.pop()
        count[node] = end - begin
        feature[node], threshold[node], left[node] = 0, 0.0, 0
        expected[node] = depth + average_path(end - begin)
        if depth >= max_depth or end - begin < 2:
            continue
        column, cut = find_cut(data, rows[begin:end], candidates, random)
        if column >= 0:
            middle = begin + partition(data[column], rows[begin:end], cut)
            feature[node], threshold[node], left[node] = column, cut, nodes
            stack.append((nodes + 1, middle, end, depth + 1))
            stack.append((nodes, begin, middle, depth + 1))
            nodes += 2
    for node in range(nodes - 1, -1, -1):  # children come after their parent
        a = left[node]
        if a > 0:
            expected[node] = (count[a] * expected[a] + count[a + 1] * expected[a + 1]) / count[node]
        value[node] = expected[node]
    return nodes


@kernel
def grow_trees(
    X: Floats,
    center: Floats,
    inverse: Floats,
    size: int,
    n_features: int,
    with_replacement: bool,
    max_depth: int,
    seeds: Words,
    feature: Codes,
    threshold: Singles,
    left: Codes,
    value: Singles,
    nodes: Ints,
) -> None:
    """Grow one tree for each of `seeds` into a row of the node arrays, shape (trees, 2 * size - 1)."""
    n, d = X.shape
    random = np.empty(1, np.uint64)
    data = np.empty((d, size), np.float32)
    for tree in range(len(seeds)):
        random[0] = seeds[tree]
        rows = draw_rows(n, size, with_replacement, random)
        candidates = draw_features(d, n_features, random)
        for i in range(size):
            for j in range(d):
                data[j, i] = narrow(X[rows[i], j], center[j], inverse[j])
        nodes[tree] = grow_tree(
            data, candidates, max_depth, random, feature[tree], threshold[tree], left[tree], value[tree]
        )


@kernel
def deepest(left: Codes, roots: Ints) -> int:
    """Give the depth of the deepest leaf; every `left` must lie between its node and the end of its tree."""
    depth = np.zeros(len(left), np.int64)
    most = 0
    for tree in range(len(roots) - 1):
        root = roots[tree]
        for node in range(root, roots[tree + 1]):
            if left[node] > 0:
                for child in range(root + left[node], root + left[node] + 2):
                    depth[child] = max(depth[child], depth[node] + 1)
                    most = max(most, depth[child])
    return most


@kernel
def fill_heap(
    feature: Codes,
    threshold: Singles,
    left: Codes,
    value: Singles,
    roots: Ints,
    depth: int,
    heap_feature: Codes,
    heap_threshold: Singles,
    heap_value: Singles,
) -> None:
    """Copy the trees into implicit heaps: node i has children 2i and 2i + 1, leaves lie `depth` below 1.

    A leaf that lies higher is continued by cuts that no value is above.
    """
    leaves = 1 << depth
    source = np.empty(2 * leaves, np.int64)
    for tree in range(len(roots) - 1):
        source[1] = roots[tree]
        for place in range(1, 2 * leaves):
            node = source[place]
            if place >= leaves:
                heap_value[tree, place - leaves] = value[node]
                continue
            heap_feature[tree, place] = feature[node]
            heap_threshold[tree, place] = threshold[node] if left[node] > 0 else np.inf
            inner = left[node] > 0
            source[2 * place] = roots[tree] + left[node] if inner else node
            source[2 * place + 1] = roots[tree] + left[node] + 1 if inner else node


@kernel
def pick(bit: np.uint32, no: np.uint32, yes: np.uint32) -> np.uint32:
    """Give `yes` if `bit` is 1, else `no`; without a branch."""
    return np.uint32(no ^ ((no ^ yes) & (NOUGHT - bit)))


@kernel
def take_three_cuts(block: Singles, columns: Codes, cuts: Singles, place: Places) -> None:
    """Write the place of each row three cuts below the root; trying all seven cuts is faster than look-ups.

    `block`, shape (d, m), holds the rows.
    """
    a, b, c = block[columns[1]], block[columns[2]], block[columns[3]]
    e, f, g, h = block[columns[4]], block[columns[5]], block[columns[6]], block[columns[7]]
    for r in range(len(place)):
        first = np.uint32(a[r] > cuts[1])
        second = pick(first, np.uint32(b[r] > cuts[2]), np.uint32(c[r] > cuts[3]))
        left = pick(second, np.uint32(e[r] > cuts[4]), np.uint32(f[r] > cuts[5]))
        right = pick(second, np.uint32(g[r] > cuts[6]), np.uint32(h[r] > cuts[7]))
        place[r] = np.uint32(8) + FOUR * first + TWO * second + pick(first, left, right)


@kernel
def sum_heaps(
    X: Floats,
    center: Floats,
    inverse: Floats,
    feature: Codes,
    threshold: Singles,
    value: Singles,
    depth: int,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """Sum the path lengths of rows begin..end over all heaps, a level at a time for many rows at once."""
    d = X.shape[1]
    width = max(LEAST_BLOCK, min(BLOCK, CACHED // d // LEAST_BLOCK * LEAST_BLOCK))
    block = np.empty((d, width), np.float32)
    flat = block.ravel()
    place = np.empty(width, np.uint32)
    total = np.empty(width, np.float64)
    leaves = np.uint32(1 << depth)
    for start in range(begin, end, width):
        m = min(width, end - start)
        for r in range(m):
            for j in range(d):
                block[j, r] = narrow(X[start + r, j], center[j], inverse[j])
        total[:m] = 0.0
        for tree in range(feature.shape[0]):
            columns, cuts, lengths = feature[tree], threshold[tree], value[tree]
            place[:m] = 1
            if depth >= 3:
                take_three_cuts(block, columns, cuts, place[:m])
            for _ in range(3 if depth >= 3 else 0, depth):
                for r in range(m):
                    i = place[r]
                    x = flat[np.uint32(columns[i]) * np.uint32(width) + np.uint32(r)]
                    place[r] = TWO * i + np.uint32(x > cuts[i])
            for r in range(m):
                total[r] += lengths[place[r] - leaves]
        for r in range(m):
            out[start + r] = total[r]


@kernel
def sum_paths(
    X: Floats,
    center: Floats,
    inverse: Floats,
    feature: Codes,
    threshold: Singles,
    left: Codes,
    value: Singles,
    roots: Ints,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """Sum the path lengths of rows begin..end over all trees, for trees too deep for heaps."""
    d = X.shape[1]
    block = np.empty((BLOCK, d), np.float32)
    for start in range(begin, end, BLOCK):
        m = min(BLOCK, end - start)
        for r in range(m):
            for j in range(d):
                block[r, j] = narrow(X[start + r, j], center[j], inverse[j])
        out[start : start + m] = 0.0
        for tree in range(len(roots) - 1):
            root = roots[tree]
            for r in range(m):
                node = root
                while left[node] > 0:
                    node = root + left[node] + (block[r, feature[node]] > threshold[node])
                out[start + r] += value[node]


@kernel
def attribute_paths(
    X: Floats,
    center: Floats,
    inverse: Floats,
    feature: Codes,
    threshold: Singles,
    left: Codes,
    value: Singles,
    roots: Ints,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """Add up, for rows begin..end and each column, by how much its cuts shortened the expected path."""
    d = X.shape[1]
    row = np.empty(d, np.float32)
    for r in range(begin, end):
        for j in range(d):
            row[j] = narrow(X[r, j], center[j], inverse[j])
        for tree in range(len(roots) - 1):
            root = roots[tree]
            node = root
            while left[node] > 0:
                child = root + left[node] + (row[feature[node]] > threshold[node])
                out[r, feature[node]] += np.float64(value[node]) - np.float64(value[child])
                node = child
