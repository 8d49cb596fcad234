"""Algorithms that isolate rows by random cuts."""

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

ENTRIES = (
    AlgorithmInfo(
        "isolation_forest",
        "Isolation forest",
        "Rows that random cuts set apart early are anomalous. Fast on any size.",
        "pynomaly.detection.algorithms.forest",
        "IsolationForest",
        (
            Parameter(
                "n_trees", "int", 100, "How many random trees; more is steadier and slower.", 1, 10_000
            ),
            Parameter(
                "max_samples",
                "count_or_share",
                "auto",
                "Rows that each tree is grown from: a count, a share of all rows, or auto (at most 256).",
                2,
                choices=("auto",),
            ),
            Parameter(
                "max_features",
                "float",
                1.0,
                "Share of the columns that each tree may cut.",
                0.0,
                1.0,
                exclusive_minimum=True,
            ),
            Parameter("bootstrap", "bool", False, "Draw each tree's rows with replacement."),
            Parameter(
                "extended",
                "bool",
                False,
                "Cut by random planes through two columns, not by one column.",
            ),
        ),
        presets={"quick": {"n_trees": 50}, "thorough": {"n_trees": 400}},
        tags={"speed": "fast", "memory": "low", "explains": "exact", "seeded": True},
    ),
    AlgorithmInfo(
        "inne",
        "Isolation by nearest neighbours",
        "Rows outside the spheres around a few random rows, or in large ones, are anomalous.",
        "pynomaly.detection.algorithms.inne",
        "INNE",
        (
            Parameter(
                "n_estimators", "int", 200, "How many sets of rows; more is steadier and slower.", 1, 10_000
            ),
            Parameter("max_samples", "int", 8, "How many rows each set has.", 2, 1_024),
            SCALING,
        ),
        scaling="robust",
        presets={"quick": {"n_estimators": 50}, "thorough": {"n_estimators": 800}},
        tags={"speed": "fast", "memory": "low", "explains": "approximation", "seeded": True},
    ),
)
