"""JSON of datasets."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from pynomaly.columns import ColumnType
from pynomaly.server.datasets.checks import MOST_DESCRIPTION, ChosenType
from pynomaly.server.datasets.models import DatasetStatus, Upload
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


class DialectBody(Body):
    """How a CSV or TSV file is written; what is null or left out is found out."""

    delimiter: Literal[",", ";", "\t", "|", " ", ":", "^", "~"] | None = None
    quote: Literal['"', "'", ""] | None = Field(None, description="The mark around cells; empty: none.")
    encoding: str | None = Field(None, max_length=40, examples=["windows-1252"])
    header: bool | None = Field(None, description="Whether the first row has names.")
    decimal: Literal[".", ","] | None = None


class ImportBody(Body):
    """How to read an uploaded file; what is left out stays as it was said before."""

    name: str = Field("", min_length=1)
    label_column: str | None = Field(None, description="A column of known anomalies (0/1); null: none.")
    types: dict[str, ChosenType] = Field(
        default_factory=dict, description="Types to read columns as.", examples=[{"postcode": "category"}]
    )
    dialect: DialectBody = Field(default_factory=DialectBody, examples=[{"delimiter": ";", "decimal": ","}])

    def wishes(self) -> dict[str, Any]:
        """What was said, as `imports` takes it."""
        return _wishes(self)


class UploadBody(Body):
    """A file that is to come in parts, and what is to become of it."""

    filename: str = Field(min_length=1, max_length=1000)
    size: int = Field(ge=0, le=2**62, description="Its bytes.", examples=[104857600])
    fingerprint: str = Field(
        "",
        max_length=200,
        description="Any text by which you know the same file again, when you go on after a break.",
        examples=["payments.csv/104857600/1767225600"],
    )
    name: str = Field("", min_length=1, description="Of the dataset; without one the file's name is used.")
    label_column: str | None = None
    types: dict[str, ChosenType] = Field(default_factory=dict, examples=[{"postcode": "category"}])
    dialect: DialectBody = Field(default_factory=DialectBody, examples=[{"delimiter": ";"}])
    preview: bool = Field(
        False, description="Only look at it: it is read when `POST /datasets/{id}/import` says how."
    )

    def wishes(self) -> dict[str, Any]:
        """What was said, as `uploads.begin` takes it."""
        return _wishes(self)


def _wishes(body: ImportBody | UploadBody) -> dict[str, Any]:
    wanted = ("name", "label_column", "types", "preview")
    given = {name: getattr(body, name) for name in wanted if name in body.model_fields_set}
    if "dialect" in body.model_fields_set:
        given["choice"] = body.dialect.model_dump(exclude_none=True)
    return given


class UploadAnswer(Answer):
    """An upload that comes in parts."""

    id: str
    filename: str
    size: int = Field(description="Bytes in all.")
    offset: int = Field(description="Bytes that are here: the next part begins there.")
    fingerprint: str
    preview: bool
    dataset_id: str | None = Field(description="What it has become, once it is all here.")
    created_at: datetime
    expires_at: datetime = Field(description="When it is deleted, if nothing more comes.")

    @classmethod
    def of(cls, upload: Upload) -> Self:
        """Tell of an upload."""
        told = {name: getattr(upload, name) for name in cls.model_fields if name != "preview"}
        return cls(**told, preview=upload.wishes["preview"])


class UploadList(Answer):
    """A page of uploads."""

    items: list[UploadAnswer]
    next_cursor: str | None


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
    missing_share: float | None = Field(description="Share of all cells that hold no value.")
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
    chosen_dialect: dict[str, Any] = Field(
        description="What a person said of how the file is written; the rest was found."
    )
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


class PreviewColumn(Answer):
    """One column, as the beginning of the file shows it."""

    name: str
    type: ColumnType
    unused: str | None


class PreviewAnswer(Answer):
    """What the beginning of an uploaded file shows, before it is read."""

    id: str
    dialect: dict[str, Any] | None
    columns: list[PreviewColumn]
    rows: list[list[Any]] = Field(description="The first rows: values in the order of the columns.")
    n_rows: int = Field(description="Rows that were looked at.")
    complete: bool = Field(description="Whether that is the whole file.")
    rejects: list[RejectAnswer]
    n_rejected: int
    too_many: bool = Field(description="Whether more rows than allowed cannot be read this way.")


class FaultAnswer(RejectAnswer):
    """One cell that could not be read, and what to do."""

    fix: str = Field(description="What to do about it.")
    corrected: str | None = Field(description="How the cell should be written, where that can be told.")


class FaultGroup(Answer):
    """Cells of one column that could not be read for one reason."""

    column: str | None
    reason: str
    count: int = Field(description="How many of the listed cells.")
    fix: str


class ReportAnswer(Answer):
    """Every cell that could not be read (of the first 1,000), by column and reason first."""

    id: str
    n_rows: int | None
    n_rejected: int
    groups: list[FaultGroup]
    items: list[FaultAnswer]
