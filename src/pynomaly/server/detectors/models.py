"""The tables of detectors and of their trained versions (models)."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    or_,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pynomaly.server.db import Base, Id, Json, UTCDateTime, new_id, utc_now
from pynomaly.server.jobs.models import Job
from pynomaly.server.sharing.models import Access, Share, is_shared

DetectorStatus = Literal["untrained", "training", "trained", "failed"]


class Detector(Base):
    """An algorithm with its parameters and columns; `model_id` is the trained version in use."""

    __tablename__ = "detectors"
    __table_args__ = (Index("ix_detectors_owner_id_created_at", "owner_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    algorithm: Mapped[str] = mapped_column(String(64))
    parameters: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    columns: Mapped[list[str] | None] = mapped_column(Json)
    """Names of the columns to use; None: all that the dataset does not mark as unused."""
    contamination: Mapped[float | None] = mapped_column(Float)
    """Share of the training rows to flag; None, with the next three None as well: "auto"."""
    max_alerts: Mapped[int | None] = mapped_column(BigInteger)
    fdr: Mapped[float | None] = mapped_column(Float)
    quantile: Mapped[float | None] = mapped_column(Float)
    threshold: Mapped[float | None] = mapped_column(Float)
    """A score to cut at, chosen by hand; None: as the four above say."""
    seed: Mapped[int] = mapped_column(BigInteger, default=0)
    status: Mapped[DetectorStatus] = mapped_column(String(16), default="untrained")
    model_id: Mapped[str | None] = mapped_column(Id)
    """No foreign key: models point at their detector, and a circle of tables cannot be made in one step."""
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_detail: Mapped[str | None] = mapped_column(Text)
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, onupdate=utc_now)

    job: Mapped[Job | None] = relationship(lazy="raise")

    @property
    def threshold_by_hand(self) -> bool:
        """Whether a score was chosen; then the four ways do not count until another version is used."""
        return self.threshold is not None

    @classmethod
    def open_to(cls, user_id: str | BindParameter[str], access: Access) -> ColumnElement[bool]:
        """Which detectors this person may view, or use."""
        return or_(cls.owner_id == user_id, is_shared(Share.detector_id, cls.id, user_id, access))


class Model(Base):
    """One trained version of a detector (or of no detector: trained for one detection)."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("detector_id", "version"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    detector_id: Mapped[str | None] = mapped_column(ForeignKey("detectors.id", ondelete="CASCADE"))
    version: Mapped[int] = mapped_column(Integer)
    """1, 2, …, counted per detector."""
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    """What it was trained on."""
    algorithm: Mapped[str] = mapped_column(String(64))
    parameters: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    columns: Mapped[list[dict[str, Any]]] = mapped_column("schema", Json, default=list)
    """Name and type of each column that it needs."""
    threshold: Mapped[float] = mapped_column(Float)
    """As it was trained; a detection may choose another."""
    estimated_contamination: Mapped[float | None] = mapped_column(Float)
    """Share of the training rows that stand out; None: trained before it was told."""
    notes: Mapped[list[str]] = mapped_column(Json, default=list)
    """What was done differently than asked, and why."""
    blob_key: Mapped[str] = mapped_column(String(200))
    metrics: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What training took and reached: rows, seconds, size; with labels also accuracy."""
    recipe: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """The definition that it was trained by: columns and seed; empty: trained before they were kept."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)


class Alias(Base):
    """A name for a version of a detector, such as `staging`; `production`, the one in use, has no row."""

    __tablename__ = "model_aliases"

    detector_id: Mapped[str] = mapped_column(ForeignKey("detectors.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, onupdate=utc_now)


class Activation(Base):
    """One moment at which a version came into use: what rolling back goes by."""

    __tablename__ = "model_activations"
    __table_args__ = (Index("ix_model_activations_detector_id_at", "detector_id", "at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    detector_id: Mapped[str] = mapped_column(ForeignKey("detectors.id", ondelete="CASCADE"))
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
