"""How the installation is: database, stored files, queue, workers, this process. For administrators."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from pynomaly.server.access import require
from pynomaly.server.db import utc_now
from pynomaly.server.jobs import presence
from pynomaly.server.jobs.models import Job
from pynomaly.server.users.models import User

LATE = timedelta(minutes=1)
"""A job that waits longer while no worker is there."""
STATUSES = ("queued", "running", "completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Stored:
    """How much is stored (None: not measured yet), and how much room there is."""

    used: int | None
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process, how many jobs it runs now and could run, and its last sign of life."""

    name: str
    jobs: int
    slots: int
    alive: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class System:
    """What the database and the disk tell."""

    database: str
    database_size: int
    schema: str
    stored: Stored
    jobs: dict[str, int]
    waiting_since: datetime | None
    workers: list[Worker]
    memory: int | None

    @property
    def nobody_works(self) -> bool:
        """Whether jobs have waited for long, and no worker is there."""
        waiting, alive = self.waiting_since, any(one.alive for one in self.workers)
        return not alive and waiting is not None and utc_now() - waiting > LATE

    @property
    def room(self) -> float:
        """Share of the disk that is free."""
        return self.stored.free / self.stored.total if self.stored.total else 0.0


def look(session: Session, actor: User, home: Path, used_bytes: int | None) -> System:
    """Look at everything; raises Forbidden for who may not."""
    require(actor, "system:read")
    disk = shutil.disk_usage(home)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    counted = select(Job.status, func.count()).group_by(Job.status)
    found: dict[str, int] = dict(session.execute(counted).all())
    waiting = select(func.min(Job.created_at)).where(Job.status == "queued", Job.available_at <= utc_now())
    return System(
        database="SQLite" if is_sqlite else "PostgreSQL",
        database_size=_database_size(session, is_sqlite),
        schema=str(session.scalar(text("SELECT version_num FROM alembic_version")) or ""),
        stored=Stored(used_bytes, disk.free, disk.total),
        jobs={status: found.get(status, 0) for status in STATUSES},
        waiting_since=session.scalar(waiting),
        workers=_workers(session),
        memory=_memory(),
    )


def _database_size(session: Session, is_sqlite: bool) -> int:
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    asked = pages if is_sqlite else "SELECT pg_database_size(current_database())"
    return int(session.scalar(text(asked)) or 0)


def _workers(session: Session) -> list[Worker]:
    counted = select(Job.worker, func.count()).where(Job.status == "running").group_by(Job.worker)
    running: dict[str | None, int] = dict(session.execute(counted).all())
    return [
        Worker(one.name, running.get(one.name, 0), one.slots, presence.is_alive(one), one.seen_at)
        for one in presence.seen(session)
    ]


def _memory() -> int | None:
    """Resident memory of this process; None where the system does not tell so."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
