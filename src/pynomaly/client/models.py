"""What the server answers, as the client gives it: typed, read-only; fields of later servers are kept."""

from datetime import datetime
from functools import cache
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, TypeAdapter

JobStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
Verdict = Literal["anomaly", "normal", "unsure"]
Role = Literal["admin", "user", "viewer"]
Access = Literal["view", "use"]
Held = Literal["own", "view", "use"]


class Answer(BaseModel):
    """One thing that the server told of; fields that this client does not know are kept as they came."""

    model_config = ConfigDict(frozen=True, extra="allow")
    _etag: str | None = PrivateAttr(None)

    @property
    def etag(self) -> str | None:
        """Its entity tag, when the server gave one: hand it to `if_match` of a change."""
        return self._etag

    @classmethod
    def of_some(cls, given: dict[str, Any]) -> Self:
        """Read the fields that were asked for; the others are not there (AttributeError)."""
        known = {name: _reader(cls, name)(given[name]) for name in cls.model_fields.keys() & given.keys()}
        return cast(Self, cls.model_construct(_fields_set=set(given), **(given | known)))


@cache
def _reader(kind: type[Answer], name: str) -> Any:
    annotation: Any = kind.model_fields[name].annotation
    return TypeAdapter(annotation).validate_python


class Job(Answer):
    """Work that takes a while, and how far it is."""

    id: str
    kind: str
    subject_id: str | None
    parent_id: str | None = None
    status: JobStatus
    progress: float
    """From 0 to 1."""
    progress_text: str
    children: dict[str, int] | None = None
    """How many of the jobs that it is made of have which status; None when it is one piece."""
    error_code: str | None
    error_detail: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ("completed", "failed", "cancelled")


class Started(Answer):
    """What was asked for has begun: `id` is its result's, `job_id` the work's."""

    id: str
    job_id: str
    status: str


# --- datasets ---------------------------------------------------------------------------------------------


class Column(Answer):
    """One column of a dataset, and what was measured of it; what its type does not have is None."""

    name: str
    type: str
    unused: str | None = None
    missing: int | None = None
    distinct: int | None = None
    min: float | str | None = None
    max: float | str | None = None
    mean: float | str | None = None
    std: float | None = None
    quantiles: dict[str, Any] | None = None
    histogram: dict[str, list[Any]] | None = None
    top: list[dict[str, Any]] | None = None


class Reject(Answer):
    """One cell that could not be read."""

    line: int | None
    column: str | None
    value: str
    reason: str


class Dataset(Answer):
    """A stored table; the last fields are None in lists."""

    id: str
    owner_id: str
    access: Held
    """What you may do with it: all (`own`), or look at it, or use it."""
    name: str
    description: str
    filename: str
    status: Literal["uploaded", "processing", "ready", "failed"]
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
    dialect: dict[str, Any] | None = None
    types: dict[str, str] | None = None
    """Types that a person chose; the others were found."""
    chosen_dialect: dict[str, Any] | None = None
    missing_share: float | None = None
    columns: list[Column] | None = None
    rejects: list[Reject] | None = None


class Preview(Answer):
    """What the beginning of an uploaded file shows, before it is read; `complete`: that is all of it."""

    id: str
    dialect: dict[str, Any] | None
    columns: list[Column]
    rows: list[list[Any]]
    n_rows: int
    complete: bool
    rejects: list[Reject]
    n_rejected: int
    too_many: bool


class Fault(Reject):
    """One cell that could not be read, what to do, and how it should be written where that can be told."""

    fix: str
    corrected: str | None


class Report(Answer):
    """The cells that could not be read: counted by column and reason, and one by one."""

    id: str
    n_rows: int | None
    n_rejected: int
    groups: list[dict[str, Any]]
    items: list[Fault]


class Row(Answer):
    """One row of a dataset."""

    row: int
    values: dict[str, Any]


class Profile(Answer):
    """What was measured of a dataset."""

    id: str
    n_rows: int
    n_duplicates: int | None
    columns: list[Column]


class Finding(Answer):
    """One thing in a table to look at; `count` is how many cells or rows it is about, where that is known."""

    kind: str
    severity: str
    column: str | None
    detail: str
    suggestion: str
    count: int | None


class Quality(Answer):
    """What deserves a look before results are trusted, most severe first."""

    id: str
    n_rows: int
    n_columns: int
    n_rejected: int
    n_duplicates: int | None
    completeness: float
    """Share of all cells that hold a value."""
    findings: list[Finding]


class Share(Answer):
    """Somebody who may view or use a thing; everyone has neither id nor e-mail address."""

    user_id: str | None
    email: str | None
    name: str | None
    everyone: bool
    access: Access
    created_at: datetime


# --- detectors --------------------------------------------------------------------------------------------


class Algorithm(Answer):
    """One algorithm of the catalogue."""

    name: str
    title: str
    summary: str
    available: bool
    install: str | None
    parameters: list[dict[str, Any]]


class Version(Answer):
    """One trained version of a detector."""

    id: str
    version: int
    dataset_id: str | None
    algorithm: str
    parameters: dict[str, Any]
    columns: list[dict[str, Any]]
    threshold: float
    """As it was trained."""
    estimated_contamination: float | None
    metrics: dict[str, Any]
    notes: list[str]
    created_at: datetime
    active: bool | None = None
    """Whether it is the one in use; like `aliases` not told of a detector's `model`, which is."""
    aliases: list[str] | None = None


class Alias(Answer):
    """A name for a version; `production` is the one in use."""

    alias: str
    version: int
    model_id: str


class Change(Answer):
    """One thing that differs; None where a version does not have it."""

    name: str
    before: Any
    after: Any


class VersionComparison(Answer):
    """Two versions and what differs: what was asked for, which columns are used, and what came of it."""

    before: Version
    after: Version
    definition: list[Change]
    columns: list[Change]
    outcome: list[Change]


class Cut(Answer):
    """Where a detector's threshold is now."""

    detector_id: str
    model_id: str
    version: int
    contamination: float | str | None
    max_alerts: int | None
    fdr: float | None
    quantile: float | None
    threshold: float
    """The score in effect: rows that score higher are anomalies."""
    flagged_share: float
    """Share of the training rows that score higher."""


class Detector(Answer):
    """An algorithm with its parameters and columns; `model` is the version in use, and not there in lists."""

    id: str
    owner_id: str
    access: Held
    name: str
    description: str
    algorithm: str
    parameters: dict[str, Any]
    columns: list[str] | None
    contamination: float | str | None
    max_alerts: int | None
    fdr: float | None
    quantile: float | None
    threshold: float | None
    """A score that was chosen by hand: it counts, and the four are None, until another version is used."""
    seed: int
    status: str
    model_id: str | None
    error_code: str | None
    error_detail: str | None
    job_id: str | None
    created_at: datetime
    updated_at: datetime
    model: Version | None = None


# --- detections -------------------------------------------------------------------------------------------


class Result(Answer):
    """One detection: a model that ran on a dataset, and what it found; the last fields are not in lists."""

    id: str
    name: str
    """Empty, unless somebody named it."""
    job_id: str | None
    status: JobStatus
    progress: float
    dataset_id: str
    detector_id: str | None
    model_id: str | None
    algorithm: str
    n_rows: int | None
    n_anomalies: int | None
    threshold: float | None
    estimated_contamination: float | None
    seconds: float | None
    peak_mib: float | None
    error_code: str | None
    error_detail: str | None
    created_at: datetime
    finished_at: datetime | None
    remarks: str | None = None
    feedback: dict[str, int] | None = None
    """How many rows people called an anomaly, normal, or unsure."""
    parameters: dict[str, Any] | None = None
    columns: list[str] | None = None
    run_threshold: float | None = None
    """The threshold of the run, when it was moved since."""
    threshold_by_hand: bool | None = None
    """Whether `threshold` is a score that was chosen for the detector."""
    score_histogram: dict[str, list[Any]] | None = None
    metrics: dict[str, Any] | None = None
    notes: list[str] | None = None


class Reason(Answer):
    """One column's share in a row's score, with what is typical of it, and the same in words."""

    column: str
    contribution: float
    value: Any
    expected: Any
    text: str


class ResultThreshold(Answer):
    """A threshold of a result, and how many of its rows score higher."""

    threshold: float
    n_anomalies: int
    n_rows: int
    run_threshold: float
    """The score that the run used."""


class ResultRow(Answer):
    """One row of a result; `rank` 1 has the highest score."""

    rank: int
    row: int
    score: float
    p_value: float
    is_anomaly: bool
    summary: str | None
    reasons: list[Reason]
    nearest_normal: dict[str, Any] | None
    values: dict[str, Any]


class Scores(Answer):
    """Rows that were scored at once: the threshold, and one item for each row, in their order."""

    detector_id: str
    model_id: str
    version: int
    threshold: float
    items: list["Score"]


class Score(Answer):
    """One row that was scored."""

    score: float
    p_value: float
    is_anomaly: bool
    summary: str | None = None
    reasons: list[Reason] | None = None


class Batch(Answer):
    """Many datasets by many detectors: one job with a child for each detection."""

    id: str
    job_id: str
    status: str
    items: list["BatchItem"]


class BatchItem(Answer):
    """One dataset and detector of a batch: the result, or why there is none."""

    id: str | None
    job_id: str | None
    dataset_id: str
    detector_id: str
    error_code: str | None
    error_detail: str | None


class ComparedResult(Answer):
    """One of the results that are compared."""

    id: str
    name: str
    algorithm: str
    n_anomalies: int
    threshold: float
    seconds: float


class ComparedPair(Answer):
    """Two results: rank correlation of their scores, and the flagged rows in common."""

    ids: list[str]
    spearman: float | None
    jaccard: float | None
    n_both: int
    n_either: int


class ComparedRow(Answer):
    """A row on which results differ, with its rank and verdict in each."""

    row: int
    ranks: list[float]
    scores: list[float]
    is_anomaly: list[bool]
    values: dict[str, Any]


class Comparison(Answer):
    """Results of one dataset side by side; `rows` are those whose ranks differ by the greatest factor."""

    dataset_id: str
    n_rows: int
    results: list[ComparedResult]
    differences: list[dict[str, Any]]
    pairs: list[ComparedPair]
    overlap: list[dict[str, Any]]
    """How many rows are flagged by exactly these results."""
    rows: list[ComparedRow]
    disputed: list[ComparedRow]
    """Those of the rows that some of the results flag and others do not."""


class Feedback(Answer):
    """A person's verdict on one row of a result."""

    row: int
    verdict: Verdict
    note: str
    user_id: str
    created_at: datetime
    updated_at: datetime


class FeedbackList(Answer):
    """Verdicts on rows of a result."""

    items: list[Feedback]


# --- accounts ---------------------------------------------------------------------------------------------


class User(Answer):
    """An account."""

    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    active: bool = True
    permissions: list[str] | None = None


class Session(Answer):
    """One log-in of an account; `current` is the one that asks."""

    id: str
    kind: str
    current: bool
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime


class ApiKey(Answer):
    """An API key; `key`, the secret itself, is there once: when it was made."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None = None
    rotated_to_id: str | None = None
    """The key that takes this one's place."""
    key: str | None = Field(None, repr=False)


class ResetLink(Answer):
    """A link that lets somebody choose a new password, once."""

    url: str = Field(repr=False)
    expires_at: datetime


class AuditEntry(Answer):
    """One thing that somebody did."""

    id: str
    at: datetime
    action: str
    actor_id: str | None
    actor_email: str | None
    target_kind: str | None
    target_id: str | None
    target_name: str | None
    address: str
    request_id: str
    details: dict[str, Any]
