"""What detectors and detections may be told: an algorithm, its parameters, and the threshold."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class Threshold(TypedDict, total=False):
    """Which rows are anomalies; at most one of the four is given."""

    contamination: float | Literal["auto"] | None
    """Share of the training rows to flag, or those that stand out (`"auto"`)."""
    max_alerts: int | None
    fdr: float | None
    quantile: float | None


class Recipe(Threshold, total=False):
    """An algorithm and what it is to do; what is left out has the catalogue's default."""

    algorithm: str
    parameters: Mapping[str, Any]
    columns: Sequence[str] | None
    seed: int


class Definition(Recipe, total=False):
    """All of a detector that can be changed."""

    name: str
    description: str


class Move(Threshold, total=False):
    """Where a trained detector's threshold goes; exactly one of the five is given."""

    threshold: float
    """A score: rows that score higher are anomalies."""
