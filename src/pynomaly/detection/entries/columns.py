"""Algorithms that look at one column, or one direction, at a time."""

from dataclasses import replace

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

_FAST = {"speed": "fast", "memory": "low", "explains": "exact", "seeded": False}

ENTRIES = (
    AlgorithmInfo(
        "ecod",
        "ECOD",
        "Rows with values far out in a column's tails are anomalous. No parameters; very fast.",
        "pynomaly.detection.algorithms.ecod",
        "ECOD",
        (),
        tags=_FAST,
    ),
    AlgorithmInfo(
        "copod",
        "COPOD",
        "Rows far out in the tail to which a column is skewed are anomalous. No parameters, very fast.",
        "pynomaly.detection.algorithms.copod",
        "COPOD",
        (),
        tags=_FAST,
    ),
    AlgorithmInfo(
        "hbos",
        "HBOS",
        "Rows with rare values are anomalous, also in gaps inside a column's range. The fastest of all.",
        "pynomaly.detection.algorithms.hbos",
        "HBOS",
        (
            Parameter(
                "n_bins",
                "int",
                "auto",
                "Bins of each column's histogram; auto: 2 x the cube root of the rows.",
                2,
                10_000,
                choices=("auto",),
            ),
            Parameter(
                "smoothing",
                "float",
                0.1,
                "Added to each bin's height (1: evenly spread); smaller makes empty bins count more.",
                0.0,
                1.0,
                exclusive_minimum=True,
            ),
        ),
        tags=_FAST,
    ),
    AlgorithmInfo(
        "robust_z",
        "Robust z-score",
        "Rows with values far from the columns' medians are anomalous. The simplest to understand.",
        "pynomaly.detection.algorithms.robust_z",
        "RobustZ",
        (
            Parameter(
                "combine",
                "choice",
                "mean",
                "How z-scores become one score: their mean, the root of their mean square, or the greatest.",
                choices=("mean", "rms", "max"),
            ),
        ),
        tags=_FAST,
    ),
    AlgorithmInfo(
        "loda",
        "LODA",
        "Rows in rare places along random directions are anomalous. Fast on many rows and columns.",
        "pynomaly.detection.algorithms.loda",
        "LODA",
        (
            Parameter("n_directions", "int", 200, "How many random directions.", 1, 10_000),
            Parameter(
                "n_bins",
                "int",
                "auto",
                "Bins of each direction's histogram; auto: 2 x the cube root of the rows.",
                2,
                10_000,
                choices=("auto",),
            ),
            Parameter(
                "max_samples",
                "count_or_share",
                "auto",
                "Rows that the histograms are learned from: a count, a share, or auto (at most 20,000).",
                2,
                choices=("auto",),
            ),
            replace(SCALING, default="standard"),
        ),
        scaling="standard",
        presets={"quick": {"n_directions": 50}, "thorough": {"n_directions": 1_000}},
        tags={"speed": "fast", "memory": "low", "explains": "approximation", "seeded": True},
    ),
)
