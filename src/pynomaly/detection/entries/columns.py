"""Algorithms that look at one column at a time."""

from pynomaly.detection.entries.info import AlgorithmInfo
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
)
