"""JSON of detectors."""

from datetime import datetime
from typing import Any

from pydantic import Field

from pynomaly.detection.catalogue import DEFAULT, MAX_SEED
from pynomaly.detection.choice import WAYS, Contamination
from pynomaly.server.detectors.models import DetectorStatus
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
    algorithm: str = Field(DEFAULT, examples=["isolation_forest"])


class TrainBody(Body):
    """What to train on."""

    dataset_id: str


class DetectorAnswer(Answer):
    """One detector; `model` is the trained version in use."""

    id: str
    name: str
    algorithm: str
    parameters: dict[str, Any]
    columns: list[str] | None
    contamination: Contamination | None
    max_alerts: int | None
    fdr: float | None
    quantile: float | None
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
    columns: list[dict[str, Any]]
    threshold: float
    estimated_contamination: float | None
    notes: list[str]
    created_at: datetime


class DetectorDetail(DetectorAnswer):
    """One detector with the trained version in use."""

    model: ModelAnswer | None


class DetectorList(Answer):
    """A page of detectors."""

    items: list[DetectorAnswer]
    next_cursor: str | None


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
