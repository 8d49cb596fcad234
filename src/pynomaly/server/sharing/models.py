"""The table of shares: who else may see or use a dataset or a detector."""

from datetime import datetime
from typing import Literal

from sqlalchemy import BindParameter, CheckConstraint, ColumnElement, ForeignKey, Index, String, exists, or_
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from pynomaly.server.db import Base, Id, UTCDateTime, new_id, utc_now

Access = Literal["view", "use"]
"""`view`: look at it. `use`: also train on the dataset, or detect with the detector."""


class Share(Base):
    """One dataset or detector, given to one person or (no `user_id`) to everyone with an account."""

    __tablename__ = "shares"
    __table_args__ = (
        CheckConstraint("access in ('view', 'use')", name="access"),
        CheckConstraint("(dataset_id is null) <> (detector_id is null)", name="subject"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    detector_id: Mapped[str | None] = mapped_column(ForeignKey("detectors.id", ondelete="CASCADE"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    access: Mapped[Access] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)


def _once(column: InstrumentedAttribute[str | None]) -> None:
    """A thing is shared once with each person and once with everyone (whose NULL equals no other NULL)."""
    Index(f"uq_shares_{column.key}_user_id", column, Share.user_id, unique=True)
    everyone = Share.user_id.is_(None)
    name = f"uq_shares_{column.key}_everyone"
    Index(name, column, unique=True, sqlite_where=everyone, postgresql_where=everyone)


_once(Share.dataset_id)
_once(Share.detector_id)


def is_shared(
    subject: InstrumentedAttribute[str | None],
    id_: InstrumentedAttribute[str],
    user_id: str | BindParameter[str],
    access: Access,
) -> ColumnElement[bool]:
    """Tell of each row whether it is shared with this person; `subject` is `Share`'s column for its kind."""
    to_them = or_(Share.user_id == user_id, Share.user_id.is_(None))
    enough = Share.access.in_(("view", "use") if access == "view" else ("use",))
    return exists().where(subject == id_, to_them, enough)
