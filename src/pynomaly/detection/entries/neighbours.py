"""Algorithms that look at the nearest rows."""

from dataclasses import replace

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

METRIC = Parameter(
    "metric",
    "choice",
    "minkowski",
    "How the distance of two rows is measured.",
    choices=("minkowski", "euclidean", "manhattan", "chebyshev"),
)
POWER = Parameter("p", "float", 2.0, "Power of the minkowski distance: 2 is the straight line.", 1.0, 100.0)


def neighbours(default: int) -> Parameter:
    """Make the parameter that says how many neighbours count; a share adapts it to the table."""
    return Parameter(
        "n_neighbors",
        "count_or_share",
        default,
        "How many neighbours count: a number (1 is one), or a share of the training rows below 1.",
        1,
    )


ENTRIES = (
    AlgorithmInfo(
        "local_outlier_factor",
        "Local outlier factor",
        "Rows in thinner surroundings than their neighbours are anomalous. Finds oddities inside the range.",
        "pynomaly.detection.algorithms.lof",
        "LocalOutlierFactor",
        (
            Parameter("n_neighbors", "int", 20, "How many neighbours a row is compared with.", 1, 10_000),
            METRIC,
            POWER,
            SCALING,
        ),
        scaling="robust",
        presets={"quick": {"n_neighbors": 10}, "thorough": {"n_neighbors": 60}},
        tags={"speed": "medium", "memory": "medium", "explains": "approximation", "seeded": False},
    ),
    AlgorithmInfo(
        "knn",
        "k nearest neighbours",
        "Rows far from their nearest rows are anomalous. Strong when the training rows are normal.",
        "pynomaly.detection.algorithms.knn",
        "KNearestNeighbors",
        (
            neighbours(5),
            Parameter(
                "method",
                "choice",
                "largest",
                "Which distance counts: to the farthest of the neighbours, their mean, or their median.",
                choices=("largest", "mean", "median"),
            ),
            METRIC,
            POWER,
            replace(SCALING, default="standard"),
        ),
        scaling="standard",
        presets={"quick": {"n_neighbors": 1}, "thorough": {"n_neighbors": 25, "method": "mean"}},
        tags={"speed": "medium", "memory": "medium", "explains": "approximation", "seeded": False},
    ),
    AlgorithmInfo(
        "dte_nonparametric",
        "Diffusion time (non-parametric)",
        "Rows that look like training rows with much noise are anomalous. Strong when those are normal.",
        "pynomaly.detection.algorithms.dte",
        "DiffusionTime",
        (neighbours(5), replace(SCALING, default="standard")),
        scaling="standard",
        presets={"quick": {"n_neighbors": 2}, "thorough": {"n_neighbors": 25}},
        tags={"speed": "medium", "memory": "medium", "explains": "approximation", "seeded": False},
    ),
)
