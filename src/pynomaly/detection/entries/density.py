"""Algorithms that estimate how dense the rows lie."""

from dataclasses import replace

from pynomaly.detection.entries.info import SCALING, AlgorithmInfo
from pynomaly.detection.parameters import Parameter

ENTRIES = (
    AlgorithmInfo(
        "gmm",
        "Gaussian mixture",
        "Rows where a mixture of bell-shaped clusters is thin are anomalous. Set normal_share to 1 when the "
        "training rows are clean.",
        "pynomaly.detection.algorithms.gmm",
        "GMM",
        (
            Parameter("n_components", "int", 8, "Clusters at most; fewer when there are few rows.", 1, 1_000),
            Parameter(
                "normal_share",
                "float",
                0.9,
                "Share of the training rows whose clusters are normal; 1: every cluster.",
                0.0,
                1.0,
                exclusive_minimum=True,
            ),
            Parameter(
                "reg_covar",
                "float",
                0.1,
                "Added to each cluster's variances, in scaled units: more makes clusters rounder.",
                0.0,
                1e6,
                exclusive_minimum=True,
            ),
            Parameter("max_iter", "int", 100, "Rounds of the fit at most.", 1, 10_000),
            Parameter(
                "max_samples",
                "count_or_share",
                "auto",
                "Rows that the mixture is fitted to: a count, a share of all rows, or auto (at most 20,000).",
                2,
                choices=("auto",),
            ),
            replace(SCALING, default="standard"),
        ),
        scaling="standard",
        presets={"quick": {"n_components": 4}, "thorough": {"n_components": 16, "max_iter": 300}},
        tags={"speed": "medium", "memory": "low", "explains": "approximation", "seeded": True},
    ),
    AlgorithmInfo(
        "kde",
        "Kernel density",
        "Rows where the training rows lie thinly are anomalous. For up to some 100,000 rows.",
        "pynomaly.detection.algorithms.kde",
        "KDE",
        (
            Parameter(
                "bandwidth",
                "float",
                "auto",
                "Reach of each training row, in scaled units; scott and silverman: by their rules; auto: "
                "1.5 times Scott's.",
                1e-6,
                1e9,
                choices=("auto", "scott", "silverman"),
            ),
            Parameter(
                "max_samples",
                "count_or_share",
                "auto",
                "Training rows that make up the density: a count, a share, or auto (at most 5,000).",
                2,
                choices=("auto",),
            ),
            replace(SCALING, default="standard"),
        ),
        scaling="standard",
        tags={"speed": "slow", "memory": "medium", "explains": "approximation", "seeded": True},
    ),
)
