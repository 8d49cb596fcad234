"""The tables of datasets, kept as Parquet, and of uploads that come in parts."""

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
    or_,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from pynomaly.server.db import Base, Id, Json, UTCDateTime, new_id, utc_now
from pynomaly.server.jobs.models import Job
from pynomaly.server.sharing.models import Access, Share, is_shared

DatasetStatus = Literal["uploaded", "processing", "ready", "failed"]
"""`uploaded`: kept as it came, until somebody says how to read it."""


class Dataset(Base):
    """A stored table: what was uploaded, what was found in it, and where its Parquet file is."""

    __tablename__ = "datasets"
    __table_args__ = (
        Index("ix_datasets_owner_id_created_at", "owner_id", "created_at", "id"),
        Index("ix_datasets_created_at", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    filename: Mapped[str] = mapped_column(String(255))
    status: Mapped[DatasetStatus] = mapped_column(String(16), default="processing")
    n_rows: Mapped[int | None] = mapped_column(BigInteger)
    n_columns: Mapped[int | None] = mapped_column(Integer)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """Name, type and `unused` of each column, in file order."""
    profile: Mapped[list[dict[str, Any]]] = mapped_column(
        Json, default=list, deferred=True, deferred_group="details"
    )
    """What was measured of each column, in file order."""
    rejects: Mapped[list[dict[str, Any]]] = mapped_column(
        Json, default=list, deferred=True, deferred_group="details"
    )
    """The first cells that could not be read: line, column, value, reason."""
    n_rejected: Mapped[int] = mapped_column(BigInteger, default=0)
    n_duplicates: Mapped[int | None] = mapped_column(BigInteger)
    """Rows that equal an earlier row in every column; None: read before they were counted."""
    dialect: Mapped[dict[str, Any] | None] = mapped_column(Json)
    label_column: Mapped[str | None] = mapped_column(Text)
    types: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Column types that a person chose; the others are as they were found."""
    choice: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What a person said of how the file is written, as `tables.DialectChoice`; the rest was found."""
    preview: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True, deferred_group="preview")
    """What the beginning of the file shows, as `tables.Preview`, while it waits to be read."""
    missing_share: Mapped[float | None] = mapped_column(Float)
    """Share of all cells that hold no value; None: not read yet, or read before it was kept."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    source_key: Mapped[str | None] = mapped_column(String(200))
    """The uploaded file in storage."""
    blob_key: Mapped[str | None] = mapped_column(String(200))
    """The Parquet file in storage, once it is parsed."""
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_detail: Mapped[str | None] = mapped_column(Text)
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, onupdate=utc_now)

    job: Mapped[Job | None] = relationship(lazy="raise")

    @classmethod
    def open_to(cls, user_id: str | BindParameter[str], access: Access) -> ColumnElement[bool]:
        """Which datasets this person may view, or use."""
        return or_(cls.owner_id == user_id, is_shared(Share.dataset_id, cls.id, user_id, access))

    @property
    def progress(self) -> float:
        """How much of it is read, 0 to 1 (`job` must be loaded)."""
        if self.status == "uploaded":
            return 0.0
        if self.status != "processing":
            return 1.0
        return self.job.progress if self.job is not None else 0.0


class Upload(Base):
    """A file that comes in parts: how much of it is here, in the blob `key`, and what is to become of it."""

    __tablename__ = "uploads"
    __table_args__ = (Index("ix_uploads_owner_id_created_at", "owner_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes in all, as announced."""
    offset: Mapped[int] = mapped_column("received", BigInteger, default=0)
    """Bytes that are here, durably."""
    key: Mapped[str] = mapped_column(String(200))
    """The stored file; once the upload is complete it is its dataset's."""
    fingerprint: Mapped[str] = mapped_column(String(200), default="")
    """By what the sender knows the same file again."""
    wishes: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Name, label column, types and dialect of the dataset, and whether to look at it before it is read."""
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    """What it has become."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    """When it is deleted if nothing more comes."""
