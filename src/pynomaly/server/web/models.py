"""The table of idempotency keys: which requests were carried out, and what they were answered."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pynomaly.server.db import Base, UTCDateTime, utc_now


class IdempotencyKey(Base):
    """One `Idempotency-Key` of one account; `carried_out` is set by the transaction that has the effect."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the key, which may be anything."""
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, path and body: the same key must mean the same request."""
    claim: Mapped[str] = mapped_column(String(36))
    """Which attempt holds the key now."""
    claimed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)
    carried_out: Mapped[bool] = mapped_column(Boolean, default=False)
    status: Mapped[int | None] = mapped_column(Integer)
    """Of the answer; None until it was given."""
    location: Mapped[str | None] = mapped_column(String(500))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None: the answer holds a secret, which is not kept."""
