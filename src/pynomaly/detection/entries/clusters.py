"""Algorithms that look at groups of rows."""

from dataclasses import replace

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

ENTRIES = (
    AlgorithmInfo(
        "cblof",
        "Cluster-based outlier factor",
        "Rows far from the centres of the large groups are anomalous. For data that form a few groups.",
        "pynomaly.detection.algorithms.cblof",
        "CBLOF",
        (
            Parameter("n_clusters", "int", 8, "How many groups rows are sorted into.", 1, 1_000),
            Parameter("alpha", "float", 0.9, "Share of the rows that the large groups hold.", 0.5, 1.0),
            Parameter(
                "beta", "float", 5.0, "How many times smaller the first small group is.", 1.0, 1_000_000.0
            ),
            Parameter(
                "max_samples",
                "count_or_share",
                "auto",
                "Rows that groups are found on: a count, a share of all rows, or auto (at most 50,000).",
                2,
                choices=("auto",),
            ),
            replace(SCALING, default="standard"),
        ),
        scaling="standard",
        tags={"speed": "fast", "memory": "low", "explains": "exact", "seeded": True},
    ),
)
