"""Algorithms that look at the nearest rows."""

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

ENTRIES = (
    AlgorithmInfo(
        "local_outlier_factor",
        "Local outlier factor",
        "Rows in thinner surroundings than their neighbours are anomalous. Finds oddities inside the range.",
        "pynomaly.detection.algorithms.lof",
        "LocalOutlierFactor",
        (
            Parameter("n_neighbors", "int", 20, "How many neighbours a row is compared with.", 1, 10_000),
            Parameter(
                "metric",
                "choice",
                "minkowski",
                "How the distance of two rows is measured.",
                choices=("minkowski", "euclidean", "manhattan", "chebyshev"),
            ),
            Parameter(
                "p", "float", 2.0, "Power of the minkowski distance: 2 is the straight line.", 1.0, 100.0
            ),
            SCALING,
        ),
        scaling="robust",
        tags={"speed": "medium", "memory": "medium", "explains": "approximation", "seeded": False},
    ),
)
