"""Algorithms that look at how the columns vary together."""

from dataclasses import replace

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

ENTRIES = (
    AlgorithmInfo(
        "elliptic_envelope",
        "Elliptic envelope",
        "Rows far from the bulk, given how the columns vary together, are anomalous. For number columns.",
        "pynomaly.detection.algorithms.elliptic",
        "EllipticEnvelope",
        (
            Parameter(
                "support_fraction",
                "float",
                "auto",
                "Share of the rows that the bulk is estimated from; auto: 0.75. Others may be anomalies.",
                0.0,
                1.0,
                exclusive_minimum=True,
                choices=("auto",),
            ),
            Parameter(
                "assume_centered", "bool", False, "Take the scaled columns' centre as the bulk's centre."
            ),
            Parameter(
                "max_samples",
                "count_or_share",
                "auto",
                "Rows that the bulk is learned from: a count, a share of all rows, or auto (at most 20,000).",
                2,
                choices=("auto",),
            ),
            Parameter(
                "ridge",
                "float",
                0.25,
                "By how much, in shares of the columns' spread, directions in which the bulk hardly varies "
                "may be widened; 0: the bulk as it is.",
                0.0,
                10.0,
            ),
            SCALING,
        ),
        scaling="robust",
        tags={"speed": "medium", "memory": "low", "explains": "exact", "seeded": True},
    ),
    AlgorithmInfo(
        "pca",
        "Principal components",
        "Rows far from the centre, most of all where rows hardly vary, are anomalous. For number columns.",
        "pynomaly.detection.algorithms.pca",
        "PCA",
        (
            Parameter(
                "shrinkage",
                "float",
                0.9,
                "0: each component counts by its own variance; 1: all components count alike.",
                0.0,
                1.0,
            ),
            Parameter(
                "components",
                "choice",
                "all",
                "Components that count: all, the major ones, or the minor ones.",
                choices=("all", "major", "minor"),
            ),
            Parameter(
                "variance", "float", 0.9, "Share of the variance that the major components hold.", 0.0, 1.0
            ),
            replace(SCALING, default="standard"),
        ),
        scaling="standard",
        tags={"speed": "fast", "memory": "low", "explains": "exact", "seeded": False},
    ),
)
