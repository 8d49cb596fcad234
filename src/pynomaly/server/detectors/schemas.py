"""JSON of detectors."""

from datetime import datetime
from typing import Any

from pydantic import Field

from pynomaly.detection.catalogue import DEFAULT, MAX_SEED
from pynomaly.detection.choice import WAYS, Contamination
from pynomaly.server.datasets.checks import MOST_DESCRIPTION
from pynomaly.server.detectors.models import DetectorStatus
from pynomaly.server.sharing.service import Held
from pynomaly.server.web.schema import Answer, Body


class Threshold(Body):
    """Which rows are anomalies: at most one of the four is given."""

    contamination: Contamination | None = Field(
        None, description="Share of the training rows to flag, at most 0.5; auto: those that stand out."
    )
    max_alerts: int | None = Field(None, description=WAYS["max_alerts"].help)
    fdr: float | None = Field(None, description=WAYS["fdr"].help)
    quantile: float | None = Field(None, description=WAYS["quantile"].help)


class Recipe(Threshold):
    """An algorithm and what it is to do; what is left out has the catalogue's default."""

    parameters: dict[str, Any] = Field(default_factory=dict, description="See GET /detectors/algorithms.")
    columns: list[str] | None = Field(None, description="Columns to use; null: all that can be.")
    seed: int = Field(0, ge=0, le=MAX_SEED)


class DetectorBody(Recipe):
    """A detector to be defined, or what takes the place of its definition."""

    name: str
    description: str = Field("", max_length=MOST_DESCRIPTION)
    algorithm: str = Field(DEFAULT, examples=["isolation_forest"])


class DetectorPatch(Threshold):
    """What is to change; what is left out stays, and so do parameters that are left out."""

    name: str = Field("", min_length=1)
    description: str = Field("", max_length=MOST_DESCRIPTION)
    algorithm: str = Field(DEFAULT, examples=["isolation_forest"])
    parameters: dict[str, Any] = Field(default_factory=dict, description="See GET /detectors/algorithms.")
    columns: list[str] | None = Field(None, description="Columns to use; null: all that can be.")
    seed: int = Field(0, ge=0, le=MAX_SEED)


class ThresholdBody(Threshold):
    """Where the threshold is to be: exactly one of the five is given."""

    threshold: float | None = Field(None, description="A score: rows that score higher are anomalies.")


class TrainBody(Body):
    """What to train on."""

    dataset_id: str


class VersionBody(Body):
    """A version, by its number or an alias."""

    version: int | str = Field(examples=[3, "staging"])


class DetectorAnswer(Answer):
    """One detector; `model_id` is the trained version in use."""

    id: str
    owner_id: str
    access: Held = Field(description="What you may do with it: all (`own`), or look at it, or use it.")
    name: str
    description: str
    algorithm: str
    parameters: dict[str, Any]
    columns: list[str] | None
    contamination: Contamination | None
    max_alerts: int | None
    fdr: float | None
    quantile: float | None
    threshold: float | None = Field(
        description="A score that was chosen by hand: the four are null until another version is used."
    )
    seed: int
    status: DetectorStatus
    model_id: str | None
    error_code: str | None
    error_detail: str | None
    job_id: str | None
    created_at: datetime
    updated_at: datetime


class ModelAnswer(Answer):
    """One trained version of a detector."""

    id: str
    version: int
    dataset_id: str | None
    algorithm: str
    parameters: dict[str, Any]
    columns: list[dict[str, Any]]
    threshold: float = Field(description="As it was trained.")
    estimated_contamination: float | None
    metrics: dict[str, Any] = Field(
        description="Training rows, seconds, bytes of the file; with labels `auc_roc`, `average_precision`."
    )
    notes: list[str]
    created_at: datetime


class DetectorDetail(DetectorAnswer):
    """One detector with the trained version in use."""

    model: ModelAnswer | None


class DetectorList(Answer):
    """A page of detectors."""

    items: list[DetectorAnswer]
    next_cursor: str | None


class VersionAnswer(ModelAnswer):
    """One version and what it is called."""

    active: bool = Field(description="Whether it is the one in use.")
    aliases: list[str]


class VersionList(Answer):
    """A page of versions."""

    items: list[VersionAnswer]
    next_cursor: str | None


class AliasAnswer(Answer):
    """A name for a version."""

    alias: str
    version: int
    model_id: str


class AliasList(Answer):
    """All names of a detector's versions."""

    items: list[AliasAnswer]
    next_cursor: str | None


class ChangeAnswer(Answer):
    """One thing that differs; null where a version does not have it."""

    name: str
    before: Any
    after: Any


class ComparisonAnswer(Answer):
    """Two versions and what differs: what was asked for, which columns are used, and what came of it."""

    before: VersionAnswer
    after: VersionAnswer
    definition: list[ChangeAnswer]
    columns: list[ChangeAnswer]
    outcome: list[ChangeAnswer]


class CutAnswer(Answer):
    """Where the threshold is now."""

    detector_id: str
    model_id: str
    version: int
    contamination: Contamination | None
    max_alerts: int | None
    fdr: float | None
    quantile: float | None
    threshold: float = Field(
        description="The score in effect: rows that score higher are anomalies. With fdr each table that is "
        "judged has its own; this one is for single rows."
    )
    flagged_share: float = Field(description="Share of the training rows that score higher.")


class ParameterAnswer(Answer):
    """One parameter of an algorithm."""

    name: str
    type: str
    default: int | float | bool | str | list[str] | list[float]
    help: str
    minimum: float | None
    maximum: float | None
    exclusive_minimum: bool
    exclusive_maximum: bool
    choices: list[str]
    also_auto: bool
    allowed: str


class AlgorithmAnswer(Answer):
    """One algorithm of the catalogue."""

    name: str
    title: str
    summary: str
    scaling: str
    tags: dict[str, Any]
    extra: str | None = Field(description="The optional extra that training needs, if any.")
    available: bool = Field(description="Whether it can be trained on this server.")
    install: str | None = Field(description="The command that installs the extra.")
    parameters: list[ParameterAnswer]


class AlgorithmList(Answer):
    """The catalogue."""

    items: list[AlgorithmAnswer]
