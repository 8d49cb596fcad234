"""Kernels of the scores that are distances to the nearest rows."""

from pynomaly.detection.algorithms.kernels import Codes, Floats, kernel

EUCLIDEAN, MANHATTAN, CHEBYSHEV, MINKOWSKI, SQUARED = 0, 1, 2, 3, 4


@kernel
def weigh(distances: Floats, weights: Floats, squared: bool, out: Floats) -> None:
    """Add up each row's distances (or their squares), each with its neighbour's weight."""
    for r in range(len(out)):
        total = 0.0
        for i in range(distances.shape[1]):
            distance = distances[r, i]
            total += weights[i] * (distance * distance if squared else distance)
        out[r] = total


@kernel
def gap_power(gap: float, largest: float, metric: int, p: float) -> float:
    """Give what one column adds to the power sum of a distance, relative to the largest column's."""
    if metric == CHEBYSHEV:
        return 1.0 if gap == largest else 0.0
    relative = gap / largest
    if metric == MANHATTAN:
        return relative
    return float(relative**p) if metric == MINKOWSKI else relative * relative


@kernel
def share_out(
    rows: Floats,
    points: Floats,
    distances: Floats,
    indices: Codes,
    weights: Floats,
    metric: int,
    p: float,
    out: Floats,
) -> None:
    """Share each row's score out to the columns, by their parts of the power sums; `out` holds zeros.

    `SQUARED` shares the squared distances out, which are Euclidean.
    """
    for r in range(len(rows)):
        for i in range(len(weights)):
            point = points[indices[r, i]]
            largest, total = 0.0, 0.0
            for j in range(len(point)):
                largest = max(largest, abs(rows[r, j] - point[j]))
            if weights[i] == 0.0 or largest == 0.0:
                continue
            for j in range(len(point)):
                total += gap_power(abs(rows[r, j] - point[j]), largest, metric, p)
            distance = distances[r, i]
            whole = weights[i] * (distance * distance if metric == SQUARED else distance)
            for j in range(len(point)):
                out[r, j] += whole * (gap_power(abs(rows[r, j] - point[j]), largest, metric, p) / total)
