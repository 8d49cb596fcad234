"""One attempt of a job in a worker: prepare, run in a child, record the end."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from pynomaly.errors import LeaseLost, PynomalyError
from pynomaly.server.db import Database
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.outcome import Outcome, unexpected
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.queue import Lease
from pynomaly.server.jobs.run import Run
from pynomaly.server.jobs.settle import settle
from pynomaly.server.jobs.tasks import Context, Task
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Site:
    """What every attempt of a worker uses."""

    settings: Settings
    database: Database
    storage: LocalStorage
    forkserver: Forkserver

    def context(self, lease: Lease) -> Context:
        """The context of one attempt, with a folder of its own for temporary files."""
        return Context(self.settings, self.storage.for_attempt(f"{lease.job_id}.{lease.attempt}"))


class Attempt(threading.Thread):
    """Runs one claimed job to its end, in a thread; `work` carries the progress and can be stopped."""

    def __init__(self, job: Job, task: Task, site: Site, ended: Callable[["Attempt"], None]) -> None:
        """Take over a job that was just claimed; `ended` is called last."""
        super().__init__(name=f"job-{job.id}")
        self.lease = queue.lease_of(job)
        self.work = Run(site.forkserver, site.settings.job_memory_mib, site.settings.job_timeout_seconds)
        self._task = task
        self._site = site
        self._context = site.context(self.lease)
        self._ended = ended
        self._abandoned = threading.Event()

    def run(self) -> None:
        """Work, then record the end; whatever goes wrong ends this attempt only."""
        lease = self.lease
        with structlog.contextvars.bound_contextvars(
            job_id=lease.job_id, kind=self._task.kind, attempt=lease.attempt
        ):
            try:
                outcome = self._outcome()
                status = self._patiently(lambda: self._settle(outcome))
                log.info("job_ended", outcome=outcome.kind, code=outcome.code, status=status)
            except LeaseLost:
                log.warning("job_lease_lost")
            except (OperationalError, InterfaceError):
                log.exception("job_abandoned")  # its lease will run out
            finally:
                self._context.storage.clear_scratch()
                self._ended(self)

    def abandon(self) -> None:
        """Stop waiting for a database that cannot be reached."""
        self._abandoned.set()

    def _outcome(self) -> Outcome:
        try:
            payload = self._patiently(self._prepare)
            if self.work.stopped is not None:
                return self.work.stopped
            outcome = self.work(self._task.run, payload, self._context.storage.scratch)
            _sync_files(self._context.storage.scratch)
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except PynomalyError as error:
            return Outcome("failed", error.code, error.message)
        except Exception as error:  # whatever a task raises ends its job, not the worker
            log.exception("job_prepare_error")
            return unexpected(type(error).__name__)
        return outcome

    def _prepare(self) -> dict[str, Any]:
        with self._site.database.session() as session:
            job = queue.hold(session, self.lease)
            return self._task.prepare(session, job, self._context)

    def _settle(self, outcome: Outcome) -> str:
        if outcome.kind == "lost":
            raise LeaseLost
        return settle(self._site.database, self.lease, self._task, outcome, self._context)

    def _patiently(self, step: Callable[[], T]) -> T:
        """Do a step that needs the database, again and again while it cannot be reached.

        A commit whose answer was lost is safe to repeat: the fence refuses the second one.
        """
        wait = 0.1
        while True:
            try:
                return step()
            except (OperationalError, InterfaceError) as error:
                if self._abandoned.wait(wait):
                    raise
                log.warning("database_unavailable", error=str(error.orig))
                wait = min(2 * wait, 2.0)


def _sync_files(folder: Path) -> None:
    """Bring results to the disk before the transaction that adopts them begins: it must be short."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.fsync(file.fileno())
