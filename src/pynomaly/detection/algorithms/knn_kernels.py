"""Kernel of the scores that are distances to the nearest rows."""

from pynomaly.detection.algorithms.kernels import Floats, kernel


@kernel
def weigh(distances: Floats, weights: Floats, squared: bool, out: Floats) -> None:
    """Add up each row's distances (or their squares), each with its neighbour's weight."""
    for r in range(len(out)):
        total = 0.0
        for i in range(distances.shape[1]):
            distance = distances[r, i]
            total += weights[i] * (distance * distance if squared else distance)
        out[r] = total
