"""The state of the system, as the start page tells it: workers, queue, storage, versions."""

import shutil
import sqlite3
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import pynomaly
from pynomaly.server.jobs import presence
from pynomaly.server.jobs.models import Job
from pynomaly.server.storage import LocalStorage

FRESH_SECONDS = 20.0
PATIENCE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class System:
    """How things stand; what only administrators are told is None for others."""

    version: str
    workers: int
    slots: int
    seen_at: datetime | None
    queued: int
    running: int
    database: str | None = None
    used_bytes: int | None = None
    free_bytes: int | None = None


class Usage:
    """How much the stored files take: measured beside the requests, and not for each of them."""

    def __init__(self, storage: LocalStorage) -> None:
        """Measure nothing yet."""
        self._storage = storage
        self._lock = threading.Lock()
        self._measured: tuple[float, int] | None = None
        self._measuring: threading.Thread | None = None

    def used_bytes(self) -> int | None:
        """Give the size as it is, or the one measured last when measuring takes long; None: never yet."""
        with self._lock:
            old = self._measured is None or time.monotonic() - self._measured[0] > FRESH_SECONDS
            if old and (self._measuring is None or not self._measuring.is_alive()):
                self._measuring = threading.Thread(target=self._measure, name="storage-usage", daemon=True)
                self._measuring.start()
            measuring = self._measuring if old else None
        if measuring is not None:
            measuring.join(PATIENCE_SECONDS)
        return self._measured[1] if self._measured else None

    def _measure(self) -> None:
        self._measured = (time.monotonic(), self._storage.used_bytes())


def look(session: Session, usage: Usage, home: Path, *, everything: bool) -> System:
    """Look at workers and queue; with `everything` also at database and storage."""
    crew = presence.crew(session)
    active = select(Job.status, func.count()).where(Job.status.in_(("queued", "running")))
    jobs: dict[str, int] = {row[0]: row[1] for row in session.execute(active.group_by(Job.status))}
    return System(
        version=pynomaly.__version__,
        workers=crew.workers,
        slots=crew.slots,
        seen_at=crew.seen_at,
        queued=jobs.get("queued", 0),
        running=jobs.get("running", 0),
        database=_database(session) if everything else None,
        used_bytes=usage.used_bytes() if everything else None,
        free_bytes=shutil.disk_usage(home).free if everything else None,
    )


def _database(session: Session) -> str:
    dialect = session.get_bind().dialect
    if dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    version = getattr(dialect, "server_version_info", None) or ()
    return f"PostgreSQL {'.'.join(map(str, version))}"
