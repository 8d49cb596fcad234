"""Algorithms that look at how the columns vary together."""

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
                "Share of the rows that the bulk is estimated from; auto: (rows + columns + 1) / 2.",
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
            SCALING,
        ),
        scaling="robust",
        tags={"speed": "medium", "memory": "low", "explains": "exact", "seeded": True},
    ),
)
