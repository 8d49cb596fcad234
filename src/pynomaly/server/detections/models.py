"""The tables of detections: runs of a model on a dataset, their results, and what people say of them."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    BindParameter,
    CheckConstraint,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    and_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Base, Id, Json, UTCDateTime, new_id, utc_now
from pynomaly.server.detectors.models import Detector
from pynomaly.server.jobs.models import Job
from pynomaly.server.sharing.models import Access

DetectionStatus = Literal["queued", "running", "completed", "failed", "cancelled"]


class Detection(Base):
    """One run: what was asked, how it went, and where the ranked rows are."""

    __tablename__ = "detections"
    __table_args__ = (
        Index("ix_detections_owner_id_created_at", "owner_id", "created_at", "id"),
        Index("ix_detections_created_at", "created_at", "id"),
        Index("ix_detections_found", "created_at", "n_anomalies"),
        Index("ix_detections_per_day", "owner_id", "created_at", "dataset_id", "n_anomalies"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(200), default="")
    """What a person calls this result; empty: nothing."""
    remarks: Mapped[str] = mapped_column(Text, default="")
    """What people wrote about the result as a whole."""
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    detector_id: Mapped[str | None] = mapped_column(ForeignKey("detectors.id"), index=True)
    model_id: Mapped[str | None] = mapped_column(ForeignKey("models.id"))
    """The model that scores the rows; None until one is trained."""
    algorithm: Mapped[str] = mapped_column(String(64))
    parameters: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    columns: Mapped[list[str] | None] = mapped_column(Json)
    contamination: Mapped[float | None] = mapped_column(Float)
    """Share of the training rows to flag; None, with the next three None as well: "auto"."""
    max_alerts: Mapped[int | None] = mapped_column(BigInteger)
    fdr: Mapped[float | None] = mapped_column(Float)
    quantile: Mapped[float | None] = mapped_column(Float)
    seed: Mapped[int] = mapped_column(BigInteger, default=0)
    stored_status: Mapped[DetectionStatus] = mapped_column("status", String(16), default="queued")
    n_rows: Mapped[int | None] = mapped_column(BigInteger)
    n_anomalies: Mapped[int | None] = mapped_column(BigInteger)
    threshold: Mapped[float | None] = mapped_column(Float)
    """Rows that score higher are anomalies; chosen before the run when the detector's is a score."""
    threshold_by_hand: Mapped[bool] = mapped_column(default=False)
    """Whether the detector's was a score that somebody chose; then the four above do not count."""
    run_threshold: Mapped[float | None] = mapped_column(Float)
    """The cut of the run, once `threshold` was moved in its result; None: it was not."""
    estimated_contamination: Mapped[float | None] = mapped_column(Float)
    """Share of the training rows that stand out."""
    score_histogram: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """`edges` (n + 1 scores) and `counts` (n rows)."""
    metrics: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Seconds and peak MiB of each phase; with a label column also `auc_roc` and `average_precision`."""
    seconds: Mapped[float | None] = mapped_column(Float)
    """What the whole run took; see `cost`."""
    peak_mib: Mapped[float | None] = mapped_column(Float)
    notes: Mapped[list[str]] = mapped_column(Json, default=list)
    blob_key: Mapped[str | None] = mapped_column(String(200))
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_detail: Mapped[str | None] = mapped_column(Text)
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    job: Mapped[Job | None] = relationship(lazy="raise")
    dataset: Mapped[Dataset] = relationship(lazy="raise")
    detector: Mapped[Detector | None] = relationship(lazy="raise")

    @classmethod
    def open_to(cls, user_id: str | BindParameter[str], access: Access) -> ColumnElement[bool]:  # noqa: ARG003 - a result has no shares
        """Their own, while they may still view the dataset: results show its values."""
        datasets = select(Dataset.id).where(Dataset.open_to(user_id, "view"))
        return and_(cls.owner_id == user_id, cls.dataset_id.in_(datasets))

    @property
    def status(self) -> DetectionStatus:
        """How it stands; the job alone knows that it was picked up (loads no job: `job` must be loaded)."""
        if self.stored_status == "queued" and self.job is not None and self.job.status == "running":
            return "running"
        return self.stored_status

    @property
    def progress(self) -> float:
        """How much is done, 0 to 1."""
        if self.stored_status == "completed":
            return 1.0
        return self.job.progress if self.job is not None else 0.0


class Preview(Base):
    """Settings tried on a sample of a dataset: no result, in no list, and deleted after a day."""

    __tablename__ = "previews"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    recipe: Mapped[dict[str, Any]] = mapped_column(Json)
    """Algorithm, parameters, columns, seed and the four ways, as a detection has them."""
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """What was found: counts, score histogram, the highest rows with their reasons."""
    stored_status: Mapped[DetectionStatus] = mapped_column("status", String(16), default="queued")
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_detail: Mapped[str | None] = mapped_column(Text)
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)

    job: Mapped[Job | None] = relationship(lazy="raise")

    @classmethod
    def open_to(cls, user_id: str | BindParameter[str], access: Access) -> ColumnElement[bool]:  # noqa: ARG003 - a preview has no shares
        """Their own, while they may still view the dataset."""
        seen = select(Dataset.id).where(Dataset.open_to(user_id, "view"))
        return and_(cls.owner_id == user_id, cls.dataset_id.in_(seen))


Verdict = Literal["anomaly", "normal", "unsure"]


class Feedback(Base):
    """A person's verdict on one row of a result."""

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint("verdict in ('anomaly', 'normal', 'unsure')", name="verdict"),
        UniqueConstraint("detection_id", "row", "user_id"),
        Index("ix_feedback_detection_id_rank", "detection_id", "rank"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    detection_id: Mapped[str] = mapped_column(ForeignKey("detections.id", ondelete="CASCADE"))
    row: Mapped[int] = mapped_column(BigInteger)
    """The row's 0-based number in the dataset."""
    rank: Mapped[int | None] = mapped_column(BigInteger)
    """The row's rank in the result, from 1; None: said before ranks were kept."""
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    verdict: Mapped[Verdict] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, onupdate=utc_now)
