"""Algorithms that draw a border around the bulk."""

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

ENTRIES = (
    AlgorithmInfo(
        "one_class_svm",
        "One-class SVM",
        "Learns a smooth border around most rows; rows outside are anomalous. For up to some 100,000 rows.",
        "pynomaly.detection.algorithms.svm",
        "OneClassSVM",
        (
            Parameter(
                "kernel",
                "choice",
                "rbf",
                "Shape of the border.",
                choices=("rbf", "linear", "poly", "sigmoid"),
            ),
            Parameter(
                "nu",
                "float",
                0.5,
                "Upper bound on the share of training rows outside the border.",
                0.0,
                1.0,
                exclusive_minimum=True,
            ),
            Parameter(
                "gamma",
                "float",
                "scale",
                "Reach of one row (rbf, poly, sigmoid): larger is a more wiggly border. "
                "scale: 1 / (columns x variance); auto: 1 / columns.",
                0.0,
                exclusive_minimum=True,
                choices=("scale", "auto"),
            ),
            Parameter("degree", "int", 3, "Degree of the poly kernel.", 1, 10),
            Parameter("coef0", "float", 0.0, "Constant term of the poly and sigmoid kernels."),
            Parameter(
                "tol", "float", 0.001, "When the exact solver stops.", 0.0, 1.0, exclusive_minimum=True
            ),
            Parameter(
                "shrinking", "bool", True, "Let the exact solver set aside settled rows; same result, faster."
            ),
            Parameter(
                "method",
                "choice",
                "auto",
                "exact solves the whole problem; nystroem approximates it, much faster on many rows; "
                "auto is exact up to 10,000 rows.",
                choices=("auto", "exact", "nystroem"),
            ),
            Parameter("n_components", "int", 300, "Rows that stand for all of them with nystroem.", 1, 5_000),
            SCALING,
        ),
        scaling="robust",
        presets={"quick": {"n_components": 100}, "thorough": {"n_components": 1_000}},
        tags={"speed": "slow", "memory": "medium", "explains": "approximation", "seeded": True},
    ),
)
