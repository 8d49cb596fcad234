"""JSON of datasets."""

from datetime import datetime
from typing import Any

from pydantic import Field

from pynomaly.columns import ColumnType
from pynomaly.server.datasets.checks import MOST_DESCRIPTION, ChosenType
from pynomaly.server.datasets.models import DatasetStatus
from pynomaly.server.datasets.quality import Kind, Severity
from pynomaly.server.sharing.service import Held
from pynomaly.server.web.schema import Answer, Body


class DatasetPatch(Body):
    """What is to change; what is left out stays."""

    name: str = Field("", min_length=1)
    description: str = Field("", max_length=MOST_DESCRIPTION)
    label_column: str | None = Field(None, description="A column of known anomalies (0/1); null: none.")
    types: dict[str, ChosenType] = Field(
        default_factory=dict,
        description="Types to read columns as, in the place of all that were chosen before.",
        examples=[{"postcode": "category", "amount": "number"}],
    )


class DatasetLine(Answer):
    """One dataset in a list."""

    id: str
    owner_id: str
    access: Held = Field(description="What you may do with it: all (`own`), or look at it, or use it.")
    name: str
    description: str
    filename: str
    status: DatasetStatus
    progress: float
    n_rows: int | None
    n_columns: int | None
    n_rejected: int
    n_duplicates: int | None
    size_bytes: int
    label_column: str | None
    error_code: str | None
    error_detail: str | None
    job_id: str | None
    created_at: datetime
    updated_at: datetime


class ColumnProfile(Answer):
    """One column and what was measured of it; fields that its type does not have are null."""

    name: str
    type: ColumnType
    unused: str | None = None
    """Why detection leaves it out; null: it is used."""
    missing: int | None = None
    distinct: int | None = None
    min: float | str | None = None
    max: float | str | None = None
    mean: float | str | None = None
    std: float | None = None
    quantiles: dict[str, float | str | None] | None = None
    histogram: dict[str, list[Any]] | None = None
    top: list[dict[str, Any]] | None = None


class RejectAnswer(Answer):
    """One cell that could not be read."""

    line: int | None
    column: str | None
    value: str
    reason: str


class DatasetAnswer(DatasetLine):
    """One dataset with its columns and the cells that could not be read (the first 1,000)."""

    dialect: dict[str, Any] | None
    types: dict[str, ChosenType] = Field(description="Types that a person chose; the others were found.")
    columns: list[ColumnProfile]
    rejects: list[RejectAnswer]


class DatasetList(Answer):
    """A page of datasets."""

    items: list[DatasetLine]
    next_cursor: str | None


class RowAnswer(Answer):
    """One row of a dataset."""

    row: int
    values: dict[str, Any]


class RowList(Answer):
    """A page of rows."""

    items: list[RowAnswer]
    next_cursor: str | None


class ProfileAnswer(Answer):
    """What was measured of a dataset."""

    id: str
    n_rows: int
    n_duplicates: int | None
    columns: list[ColumnProfile]


class FindingAnswer(Answer):
    """One thing to look at."""

    kind: Kind
    severity: Severity
    column: str | None
    detail: str
    suggestion: str
    count: int | None = Field(description="Cells or rows that it concerns, where that is known.")


class QualityAnswer(Answer):
    """What deserves a look before results are trusted, most severe first."""

    id: str
    n_rows: int
    n_columns: int
    n_rejected: int
    n_duplicates: int | None = Field(description="Rows that equal an earlier row in every column.")
    completeness: float = Field(description="Share of all cells that hold a value.")
    findings: list[FindingAnswer]
