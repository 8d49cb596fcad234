"""Kernels of the local outlier factor."""

from pynomaly.detection.algorithms.kernels import Codes, Floats, kernel


@kernel
def reach_densities(distances: Floats, indices: Codes, reach: Floats, out: Floats) -> None:
    """Reachability density of each row (Breunig et al. 2000, definition 6), bounded as in scikit-learn."""
    for r in range(len(out)):
        total = 0.0
        for i in range(distances.shape[1]):
            total += max(distances[r, i], reach[indices[r, i]])
        out[r] = 1.0 / (total / distances.shape[1] + 1e-10)


@kernel
def outlier_factors(indices: Codes, densities: Floats, own: Floats, out: Floats) -> None:
    """Mean density of the neighbours over the row's own (definition 7)."""
    for r in range(len(out)):
        total = 0.0
        for i in range(indices.shape[1]):
            total += densities[indices[r, i]]
        out[r] = total / indices.shape[1] / own[r]
