"""The table of the audit log: who did what, when and from where."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pynomaly.server.db import Base, Id, Json, UTCDateTime, new_id, utc_now


class AuditEntry(Base):
    """One security-relevant or destructive act; it outlives the account and the thing that it names."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_at", "at", "id"),
        Index("ix_audit_log_actor_id_at", "actor_id", "at", "id"),
        Index("ix_audit_log_action_at", "action", "at", "id"),
        Index("ix_audit_log_target_id_at", "target_id", "at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    action: Mapped[str] = mapped_column(String(64))
    """`<kind>.<act>`, such as "dataset.delete" or "login.failed"."""
    actor_id: Mapped[str | None] = mapped_column(Id)
    actor_email: Mapped[str | None] = mapped_column(String(254))
    target_kind: Mapped[str | None] = mapped_column(String(32))
    target_id: Mapped[str | None] = mapped_column(Id)
    target_name: Mapped[str | None] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64), default="")
    """Network address of the request."""
    request_id: Mapped[str] = mapped_column(String(64), default="")
    """`X-Request-ID`, which the log lines carry as correlation id."""
    details: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What changed; never a secret."""
