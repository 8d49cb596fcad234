"""Detectors made of several detectors."""

from pynomaly.detection.entries.info import AlgorithmInfo
from pynomaly.detection.parameters import Parameter

ENTRIES = (
    AlgorithmInfo(
        "auto",
        "Automatic",
        "A fixed combination of algorithms that does well on most tables. The best first choice.",
        "pynomaly.detection.algorithms.auto",
        "Auto",
        (
            Parameter(
                "clean_training",
                "bool",
                False,
                "The training rows are free of anomalies; then even small differences from them count.",
                label="Are the training rows free of anomalies?",
            ),
        ),
        scaling="none",
        tags={"speed": "medium", "memory": "low", "explains": "approximation", "seeded": True},
    ),
    AlgorithmInfo(
        "ensemble",
        "Ensemble",
        "Several algorithms of your choice, their scores made comparable and combined.",
        "pynomaly.detection.algorithms.ensemble",
        "Ensemble",
        (
            Parameter(
                "members",
                "members",
                (
                    "isolation_forest",
                    "elliptic_envelope",
                    "knn(n_neighbors=0.1, method=mean, scaling=robust)",
                ),
                "The algorithms, each with its own parameters in parentheses.",
            ),
            Parameter(
                "combine",
                "choice",
                "mean",
                "How their scores become one: the mean, the highest, the median, the mean rank, the average "
                "of the groups' highest (aom), or the highest of the groups' averages (moa).",
                choices=("mean", "max", "median", "rank", "aom", "moa"),
            ),
            Parameter(
                "weights",
                "numbers",
                (),
                "How much each member counts, in the members' order; empty: all the same.",
                0.0,
            ),
            Parameter("groups", "int", 2, "Groups that aom and moa put the members into.", 1, 1_000),
        ),
        scaling="none",
        tags={"speed": "medium", "memory": "medium", "explains": "approximation", "seeded": True},
    ),
)
