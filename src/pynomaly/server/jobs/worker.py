"""The worker: claims jobs and runs up to so many of them at once, each in a child of the warm process."""

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from pynomaly.server.db import Database
from pynomaly.server.jobs import presence, queue
from pynomaly.server.jobs.attempts import Attempt, Site
from pynomaly.server.jobs.changes import Changes
from pynomaly.server.jobs.outcome import GIVEN_BACK
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.pulse import Pulse
from pynomaly.server.jobs.sweep import KeysInUse, Sweep, sweep, sweep_rows
from pynomaly.server.jobs.tasks import Task
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.02
"""How often the database is asked whether anything changed."""

CLAIM_SECONDS = 1.0
"""How often the queue is read although nothing changed: a retry may be due."""

SWEEP_SECONDS = 600.0
GRACE_SECONDS = 8.0
"""How long running jobs may go on when the worker is told to stop; then they are given back."""

SETTLE_SECONDS = 8.0
"""How long giving jobs back may take when the database cannot be reached."""


class Worker:
    """Runs jobs of the kinds in `tasks` until told to stop."""

    def __init__(
        self,
        settings: Settings,
        tasks: Mapping[str, Task],
        forkserver: Forkserver,
        *,
        slots: int | None = None,
        keys_in_use: KeysInUse | None = None,
        sweeps: Sequence[Sweep] = (),
    ) -> None:
        """Set up; `run` starts.

        `slots` jobs run at once (default: the settings'), in children of `forkserver`: the caller closes it.
        Old blobs are swept that `keys_in_use` does not name, and rows by `sweeps`.
        """
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[:128]
        self._site = Site(settings, Database(settings), LocalStorage(settings.home), forkserver)
        self._tasks = tasks
        self._keys_in_use = keys_in_use
        self._sweeps = sweeps
        self._slots = settings.worker_slots if slots is None else slots
        self._attempts: dict[str, Attempt] = {}
        self._lock = threading.Lock()
        self._slot_freed = threading.Event()
        self._stopping = False
        self._grace = GRACE_SECONDS

    def stop(self, *_: object) -> None:
        """Claim no more, let running jobs finish for a while, give the rest back; a second call does not.

        Safe in a signal handler: it takes no lock.
        """
        if self._stopping:
            self._grace = 0.0
        self._stopping = True

    def run(self) -> None:
        """Work until stopped."""
        pulse = Pulse(self._site, self._tasks, self._running)
        log.info("worker_started", worker=self.name, slots=self._slots)
        try:
            self._site.forkserver.start()
            pulse.start()
            self._loop()
        finally:
            self._drain()
            pulse.stop()
            pulse.join()
            self._leave()
            self._site.database.close()
            log.info("worker_stopped", worker=self.name)

    def _loop(self) -> None:
        changes = Changes(self._site.database)
        claim_at = sweep_at = say_at = 0.0
        while not self._stopping:
            now = time.monotonic()
            try:
                if now >= sweep_at:
                    sweep_at = now + SWEEP_SECONDS
                    sweep(self._site.database, self._site.storage, self._keys_in_use)
                    sweep_rows(self._site.database, self._site.settings, self._sweeps)
                if now >= say_at:
                    say_at = now + presence.SAY_SECONDS
                    self._say()
                changed = changes.changed()
                if changed or now >= claim_at:
                    claim_at = now + CLAIM_SECONDS
                    self._claim()
            except (OperationalError, InterfaceError) as error:
                log.warning("database_unavailable", error=str(error.orig))
                claim_at = now + CLAIM_SECONDS
            if self._slot_freed.wait(LOOK_SECONDS):
                self._slot_freed.clear()
                claim_at = 0.0
        changes.close()

    def _say(self) -> None:
        with self._site.database.session() as session:
            presence.say(session, self.name, self._slots)

    def _leave(self) -> None:
        """Take leave; when the database does not answer, others see it by the silence."""
        with suppress(SQLAlchemyError), self._site.database.session() as session:
            presence.leave(session, self.name)

    def _claim(self) -> None:
        """Fill the free slots."""
        free = self._slots - len(self._attempts)
        if free <= 0 or not self._tasks:
            return
        with self._site.database.session() as session:
            jobs = queue.claim(
                session, self.name, self._site.settings.job_lease_seconds, list(self._tasks), free
            )
        for job in jobs:
            attempt = Attempt(job, self._tasks[job.kind], self._site, self._ended)
            with self._lock:
                self._attempts[job.id] = attempt
            attempt.start()

    def _ended(self, attempt: Attempt) -> None:
        with self._lock:
            del self._attempts[attempt.lease.job_id]
        self._slot_freed.set()

    def _running(self) -> list[Attempt]:
        with self._lock:
            return list(self._attempts.values())

    def _drain(self) -> None:
        """Wait for running jobs, then give them back."""
        end = time.monotonic() + self._grace
        while self._running() and time.monotonic() < end and self._grace:
            self._slot_freed.wait(LOOK_SECONDS)
            self._slot_freed.clear()
        for attempt in self._running():
            attempt.work.stop(GIVEN_BACK)
        end = time.monotonic() + SETTLE_SECONDS
        for attempt in self._running():
            attempt.join(max(0.0, end - time.monotonic()))
            attempt.abandon()
            attempt.join()


def stop_on_signals(worker: Worker) -> None:
    """Let SIGTERM and SIGINT stop the worker; a second one does not wait for running jobs."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
