"""The table of jobs: everything that takes longer than a request may."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pynomaly.server.db import Base, Id, Json, UTCDateTime, new_id, utc_now

JobStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
FINISHED: frozenset[JobStatus] = frozenset({"completed", "failed", "cancelled"})
UNDER_WAY: frozenset[JobStatus] = frozenset({"queued", "running"})


class Job(Base):
    """One piece of work; `attempts` counts its runs and is the fencing token of the present one."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'completed', 'failed', 'cancelled')", name="status"),
        CheckConstraint("progress >= 0 AND progress <= 1", name="progress"),
        Index("ix_jobs_owner_id_created_at", "owner_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(64))
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    subject_id: Mapped[str | None] = mapped_column(Id, index=True)
    """What the job works on: the id of a dataset, detector or detection."""
    parent_id: Mapped[str | None] = mapped_column(Id, index=True)
    """The job that this one is a part of."""
    payload: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    status: Mapped[JobStatus] = mapped_column(String(16), default="queued")
    priority: Mapped[int] = mapped_column(Integer, default=0)
    """Higher runs first."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    max_attempts: Mapped[int] = mapped_column(Integer, default=3)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Changes with each heartbeat; who sees it stand still for a whole lease takes the job over."""
    worker: Mapped[str | None] = mapped_column(String(128))
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    """How much is done, 0 to 1."""
    progress_text: Mapped[str] = mapped_column(String(200), default="")
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_detail: Mapped[str | None] = mapped_column(Text)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    available_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    """Not claimed before this moment (a retry waits)."""
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in FINISHED

    @classmethod
    def open_to(cls, user_id: str | BindParameter[str], _access: str) -> ColumnElement[bool]:
        """Their own."""
        return cls.owner_id == user_id


class WorkerState(Base):
    """A worker as it tells of itself, so that people see whether anybody works."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    slots: Mapped[int] = mapped_column(Integer)
    """How many jobs it runs at once."""
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)


Index("ix_jobs_claim", Job.status, Job.priority.desc(), Job.created_at, Job.id)
Index(
    "ix_jobs_cancel_requested",
    Job.status,
    sqlite_where=text("cancel_requested = 1"),
    postgresql_where=text("cancel_requested"),
)
