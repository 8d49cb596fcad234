"""JSON of detections and their results."""

from datetime import datetime
from typing import Any

from pydantic import Field

from pynomaly.detection.catalogue import DEFAULT
from pynomaly.detection.choice import Contamination
from pynomaly.server.detections.models import DetectionStatus, Verdict
from pynomaly.server.detectors.schemas import Recipe, Threshold
from pynomaly.server.jobs.models import JobStatus
from pynomaly.server.web.schema import Answer, Body


class DetectBody(Recipe):
    """What to look at, and with what: a detector, or an algorithm with its parameters.

    A detector's threshold may be moved for this detection alone.
    """

    dataset_id: str
    detector_id: str | None = Field(None, description="An untrained one is trained on the dataset first.")
    algorithm: str | None = Field(None, description=f"Default: {DEFAULT}.", examples=["isolation_forest"])


class BatchBody(Threshold):
    """Datasets and trained detectors: every pair is run, at most 500; the threshold may be moved for all."""

    dataset_ids: list[str] = Field(min_length=1, max_length=100)
    detector_ids: list[str] = Field(min_length=1, max_length=20)


class BatchItem(Answer):
    """One pair: its result and job or, when it cannot be run, the reason."""

    dataset_id: str
    detector_id: str
    id: str | None
    job_id: str | None
    error_code: str | None
    error_detail: str | None


class BatchStarted(Answer):
    """The batch has begun: `id` and `job_id` are its job's, whose children are the pairs' jobs."""

    id: str
    job_id: str
    status: JobStatus
    items: list[BatchItem]


class DetectionLine(Answer):
    """One detection in a list; `name` is empty unless somebody named it.

    `seconds` and `peak_mib` are what its whole run took.
    """

    id: str
    name: str
    job_id: str | None
    status: DetectionStatus
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


class Histogram(Answer):
    """Counts of scores between edges (one more than counts)."""

    edges: list[float]
    counts: list[int]


class FeedbackCounts(Answer):
    """How many verdicts of each kind were given on a result's rows."""

    anomaly: int = 0
    normal: int = 0
    unsure: int = 0


class DetectionAnswer(DetectionLine):
    """One detection with its summary; `metrics.phases` has seconds and peak memory (MiB) of each phase."""

    remarks: str
    feedback: FeedbackCounts
    parameters: dict[str, Any]
    columns: list[str] | None
    contamination: Contamination | None
    max_alerts: int | None
    fdr: float | None
    quantile: float | None
    run_threshold: float | None = Field(
        description="The threshold of the run, when `threshold` was moved since; null: it was not."
    )
    threshold_by_hand: bool = Field(
        description="Whether `threshold` is a score that was chosen for the detector; the four are then null."
    )
    seed: int
    score_histogram: Histogram | None
    metrics: dict[str, Any] | None
    notes: list[str]


class DetectionPatch(Body):
    """What people call a result, and what they have to say about it; what is left out stays."""

    name: str = Field("", max_length=200)
    remarks: str = Field("", max_length=10_000)


class ResultThresholdBody(Body):
    """Where the threshold of a result is to be: exactly one of the two is given."""

    threshold: float | None = Field(None, description="A score: rows that score higher are anomalies.")
    max_alerts: int | None = Field(
        None, ge=0, lt=2**53, description="Flag at most so many rows of this result."
    )


class ResultThreshold(Answer):
    """A threshold of a result, and how many of its rows score higher."""

    threshold: float
    n_anomalies: int
    n_rows: int
    run_threshold: float = Field(description="The score that the run used.")


class VerdictBody(Body):
    """A verdict on one row, by its 0-based number in the dataset."""

    row: int = Field(ge=0, lt=2**53)
    verdict: Verdict
    note: str = Field("", max_length=4000)


class FeedbackBody(Body):
    """Verdicts; those that one gave before on the same rows are replaced."""

    items: list[VerdictBody] = Field(min_length=1, max_length=1000)


class FeedbackAnswer(Answer):
    """What one person said of one row."""

    row: int
    verdict: Verdict
    note: str
    user_id: str
    created_at: datetime
    updated_at: datetime


class FeedbackGiven(Answer):
    """The verdicts that were given, as they are kept."""

    items: list[FeedbackAnswer]


class FeedbackList(Answer):
    """A page of feedback."""

    items: list[FeedbackAnswer]
    next_cursor: str | None


class DetectionList(Answer):
    """A page of detections."""

    items: list[DetectionLine]
    next_cursor: str | None


class ReasonAnswer(Answer):
    """One column's share in a row's score, with what is typical of it, and the same in words."""

    column: str
    contribution: float
    value: Any
    expected: Any
    text: str


class NearestNormal(Answer):
    """A normal row of the training table; of more than 100 columns only those that the reasons name."""

    row: int
    values: dict[str, Any]


class ResultRowAnswer(Answer):
    """One row of a result; `rank` 1 has the highest score.

    `summary` says in one sentence why the row is unusual, and `nearest_normal` is the most similar normal
    row; both are null, and `reasons` empty, in rows that are not explained.
    """

    rank: int
    row: int
    score: float
    p_value: float
    is_anomaly: bool
    summary: str | None
    reasons: list[ReasonAnswer]
    nearest_normal: NearestNormal | None
    values: dict[str, Any]


class ResultRowList(Answer):
    """A page of a result."""

    items: list[ResultRowAnswer]
    next_cursor: str | None


class ComparedResult(Answer):
    """One of the results that are compared; `seconds` and `peak_mib` are those of its whole run."""

    id: str
    name: str
    algorithm: str
    detector_id: str | None
    model_id: str | None
    n_anomalies: int
    threshold: float
    estimated_contamination: float | None
    auc_roc: float | None
    average_precision: float | None
    seconds: float
    peak_mib: float | None


class Difference(Answer):
    """What was not the same in all results, with each one's value, in the order of `results`."""

    field: str
    values: list[Any]


class ComparedPair(Answer):
    """Two results: rank correlation of their scores (1: the same order), and the flagged rows in common.

    `jaccard` is `n_both` over `n_either`; null when neither flags any row.
    """

    ids: list[str]
    spearman: float | None
    jaccard: float | None
    n_both: int
    n_either: int


class Overlap(Answer):
    """So many rows are flagged by exactly these results."""

    ids: list[str]
    count: int


class ComparedRow(Answer):
    """A row on which the results differ, in the order of `results`: rank 1 is the highest score."""

    row: int
    ranks: list[float]
    scores: list[float]
    is_anomaly: list[bool]
    values: dict[str, Any]


class CompareAnswer(Answer):
    """Results of one dataset side by side; `rows` are those whose ranks differ by the greatest factor.

    `disputed` are such rows, too, but only of those that some of the results flag and others do not.
    """

    dataset_id: str
    n_rows: int
    results: list[ComparedResult]
    differences: list[Difference]
    pairs: list[ComparedPair]
    overlap: list[Overlap]
    rows: list[ComparedRow]
    disputed: list[ComparedRow]
