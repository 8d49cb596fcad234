"""How the installation is: database, stored files, queue, workers, this process. For administrators."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from pynomaly.server.access import require
from pynomaly.server.db import utc_now
from pynomaly.server.jobs.models import Job
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

REMEMBERED_SECONDS = 60.0
"""How long the size of the stored files is remembered: each of them is looked at."""
LATE = timedelta(minutes=1)
"""A job that waits longer while nothing runs has no worker."""
STATUSES = ("queued", "running", "completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Stored:
    """How much is stored, and how much room there is."""

    files: int
    used: int
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process that runs jobs now; an idle one leaves no trace in the database."""

    name: str
    jobs: int
    heartbeat: datetime | None


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
        """Whether jobs have waited for long, and no worker runs any."""
        waiting = self.waiting_since
        return not self.workers and waiting is not None and utc_now() - waiting > LATE

    @property
    def room(self) -> float:
        """Share of the disk that is free."""
        return self.stored.free / self.stored.total if self.stored.total else 0.0


def look(session: Session, actor: User, settings: Settings) -> System:
    """Look at everything; raises Forbidden for who may not."""
    require(actor, "system:read")
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    counted = select(Job.status, func.count()).group_by(Job.status)
    found: dict[str, int] = dict(session.execute(counted).all())
    waiting = select(func.min(Job.created_at)).where(Job.status == "queued", Job.available_at <= utc_now())
    return System(
        database="SQLite" if is_sqlite else "PostgreSQL",
        database_size=_database_size(session, is_sqlite),
        schema=str(session.scalar(text("SELECT version_num FROM alembic_version")) or ""),
        stored=_stored(settings.home),
        jobs={status: found.get(status, 0) for status in STATUSES},
        waiting_since=session.scalar(waiting),
        workers=_workers(session, settings),
        memory=_memory(),
    )


def _database_size(session: Session, is_sqlite: bool) -> int:
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    asked = pages if is_sqlite else "SELECT pg_database_size(current_database())"
    return int(session.scalar(text(asked)) or 0)


def _workers(session: Session, settings: Settings) -> list[Worker]:
    """A lease is extended from its heartbeat on, so its end tells when that was."""
    running = select(Job.worker, func.count(), func.max(Job.lease_until)).group_by(Job.worker)
    rows = session.execute(running.where(Job.status == "running", Job.worker.is_not(None)))
    lease = timedelta(seconds=settings.job_lease_seconds)
    return [Worker(str(name), jobs, until - lease if until else None) for name, jobs, until in rows]


_measured: dict[Path, tuple[float, int, int]] = {}


def _stored(home: Path) -> Stored:
    when, files, used = _measured.get(home, (0.0, 0, 0))
    if not when or time.monotonic() - when > REMEMBERED_SECONDS:
        sizes = list(_sizes(home / "blobs"))
        files, used = len(sizes), sum(sizes)
        _measured[home] = (time.monotonic(), files, used)
    disk = shutil.disk_usage(home)
    return Stored(files, used, disk.free, disk.total)


def _sizes(folder: Path) -> Iterator[int]:
    """Sizes of all files; what another process deletes meanwhile is passed over."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(Path(entry.path))
            else:
                yield entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue


def _memory() -> int | None:
    """Resident memory of this process; None where the system does not tell so."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
