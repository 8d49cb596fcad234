"""JSON of datasets."""

from datetime import datetime
from typing import Any

from pynomaly.columns import ColumnType
from pynomaly.server.datasets.models import DatasetStatus
from pynomaly.server.web.schema import Answer


class DatasetLine(Answer):
    """One dataset in a list."""

    id: str
    name: str
    filename: str
    status: DatasetStatus
    progress: float
    n_rows: int | None
    n_columns: int | None
    n_rejected: int
    size_bytes: int
    label_column: str | None
    error_code: str | None
    error_detail: str | None
    job_id: str | None
    created_at: datetime


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
