"""The audit log for whoever reads it: in pages, as a whole, and only as far back as the settings say."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, delete, select, tuple_
from sqlalchemy.orm import Session

from pynomaly.server import paging
from pynomaly.server.access import require
from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.audit import record
from pynomaly.server.db import Database, utc_now
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

SORTS = paging.Sorts(AuditEntry.id, {"at": AuditEntry.at})
CHUNK = 500
Format = Literal["csv", "ndjson"]
COLUMNS = (
    "id",
    "at",
    "action",
    "actor_id",
    "actor_email",
    "target_kind",
    "target_id",
    "target_name",
    "address",
    "request_id",
    "details",
)


@dataclass(frozen=True)
class Filter:
    """Which entries are wanted; None: all."""

    action: str | None = None
    """An action, or its kind alone: "login" finds "login.failed" too."""
    actor_id: str | None = None
    target_kind: str | None = None
    target_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def query(self) -> Select[AuditEntry]:
        """Select the wanted entries."""
        query: Select[AuditEntry] = select(AuditEntry)
        for name in ("actor_id", "target_kind", "target_id"):
            if (value := getattr(self, name)) is not None:
                query = query.where(getattr(AuditEntry, name) == value)
        if self.action is not None:
            of_kind = AuditEntry.action.startswith(f"{self.action}.", autoescape=True)
            query = query.where((AuditEntry.action == self.action) | of_kind)
        if self.since is not None:
            query = query.where(AuditEntry.at >= self.since)
        if self.until is not None:
            query = query.where(AuditEntry.at < self.until)
        return query

    def words(self) -> dict[str, str]:
        """The filter as it is written into the log itself."""
        return {name: str(value) for name, value in vars(self).items() if value is not None}


def list_page(
    session: Session,
    actor: User,
    wanted: Filter,
    sort: str = "-at",
    cursor: str | None = None,
    limit: int = 50,
) -> paging.Page[AuditEntry]:
    """List entries, newest first unless `sort` says otherwise."""
    require(actor, "audit:read")
    return paging.page(session, wanted.query(), SORTS, sort, cursor, limit)


def export(database: Database, actor: User, wanted: Filter, form: Format) -> Iterator[str]:
    """Give all wanted entries of up to now, oldest first, a piece at a time; that it was done is logged.

    Each piece is read in a transaction of its own: a slow reader holds none.
    """
    require(actor, "audit:read")
    with database.session() as session:
        record(session, actor, "audit.export", format=form, filter=wanted.words())
    return _pieces(database, wanted, utc_now(), form)


def sweep(session: Session, settings: Settings) -> int:
    """Delete entries that are older than the settings keep them; gives how many there were."""
    if not settings.audit_log_days:
        return 0
    old = AuditEntry.at < utc_now() - timedelta(days=settings.audit_log_days)
    gone = delete(AuditEntry).where(old).returning(AuditEntry.id)
    count = len(session.scalars(gone, execution_options={"synchronize_session": False}).all())
    if count:
        record(session, None, "audit.sweep", count=count, older_than_days=settings.audit_log_days)
    return count


def _pieces(database: Database, wanted: Filter, end: datetime, form: Format) -> Iterator[str]:
    write = _csv_rows if form == "csv" else _json_lines
    if form == "csv":
        yield ",".join(COLUMNS) + "\r\n"
    last: tuple[datetime, str] | None = None
    query = wanted.query().where(AuditEntry.at <= end).order_by(AuditEntry.at, AuditEntry.id).limit(CHUNK)
    while True:
        here = tuple_(AuditEntry.at, AuditEntry.id)
        with database.session(write=False) as session:
            entries = session.scalars(query if last is None else query.where(here > last)).all()
        if entries:
            yield write([_values(entry) for entry in entries])
            last = entries[-1].at, entries[-1].id
        if len(entries) < CHUNK:
            return


def _values(entry: AuditEntry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in COLUMNS}
    return {**values, "at": entry.at.isoformat().replace("+00:00", "Z")}


def _json_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def _csv_rows(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        details = json.dumps(row["details"], ensure_ascii=False) if row["details"] else ""
        writer.writerow([_harmless(value) for value in {**row, "details": details}.values()])
    return text.getvalue()


def _harmless(value: str | None) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula.

    >>> _harmless("=1+1"), _harmless("ada@example.org"), _harmless(None)
    ("'=1+1", 'ada@example.org', '')
    """
    text = value or ""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text
