"""A worker's heart: extends leases, tells progress, notices cancellations, takes over from dead workers."""

import threading
import time
from collections.abc import Callable, Collection, Mapping

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from pynomaly.errors import LeaseLost
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.attempts import Attempt, Site
from pynomaly.server.jobs.changes import Changes
from pynomaly.server.jobs.lookout import Lookout
from pynomaly.server.jobs.outcome import CANCELLED, LOST, Outcome
from pynomaly.server.jobs.queue import Lease, State
from pynomaly.server.jobs.settle import cancel_waiting, settle
from pynomaly.server.jobs.tasks import Task

log = structlog.get_logger(__name__)

BEAT_SECONDS = 0.25
LONGEST_BEAT_SECONDS = 1.0
PROGRESS_SECONDS = 0.5
WORKER_GONE = Outcome("died", "killed", "The worker that ran the job was killed or lost its connection.")


class Pulse(threading.Thread):
    """Beats four times a second until stopped."""

    def __init__(
        self, site: Site, tasks: Mapping[str, Task], attempts: Callable[[], Collection[Attempt]]
    ) -> None:
        """Look after the `attempts` that run in this worker, and after jobs that nobody runs any more."""
        super().__init__(name="pulse", daemon=True)
        self._site = site
        self._tasks = tasks
        self._attempts = attempts
        self._lease_seconds = site.settings.job_lease_seconds
        self._lookout = Lookout(self._lease_seconds)
        self._states: list[State] = []
        self._told: dict[Lease, tuple[float, tuple[float, str]]] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Stop after the present beat."""
        self._stopped.set()

    def run(self) -> None:
        """Beat until stopped: whatever goes wrong at one beat is tried again, a little later each time."""
        changes = Changes(self._site.database)
        wait = BEAT_SECONDS
        while not self._stopped.wait(wait):
            try:
                self.beat(changes.changed())
                wait = BEAT_SECONDS
            except (OperationalError, InterfaceError) as error:
                log.warning("database_unavailable", error=str(error.orig))
                wait = min(2 * wait, LONGEST_BEAT_SECONDS)
                changes.forget()
            except Exception:
                log.exception("worker_beat_failed")
                wait = LONGEST_BEAT_SECONDS
                changes.forget()
        changes.close()

    def beat(self, changed: bool) -> None:
        """Do what is due; while `changed` is False the states seen last are still true."""
        mine = {attempt.lease: attempt for attempt in self._attempts()}
        if changed:
            with self._site.database.session(write=False) as session:
                self._states = queue.running(session)
                waiting = queue.cancelled_waiting(session)
            for job_id, kind in waiting:
                self._cancel_waiting(job_id, kind)
        self._obey(mine)
        self._tell(mine)
        for state in self._lookout.stale(state for state in self._states if state.lease not in mine):
            self._take_over(state.lease, state.kind)

    def _obey(self, mine: Mapping[Lease, Attempt]) -> None:
        """Stop attempts whose cancellation was asked for."""
        for state in self._states:
            if state.cancel_requested and state.lease in mine:
                mine[state.lease].work.stop(CANCELLED)

    def _tell(self, mine: Mapping[Lease, Attempt]) -> None:
        """Extend the leases of which a third has passed, and record progress that is news."""
        now = time.monotonic()
        self._told = {lease: told for lease, told in self._told.items() if lease in mine}
        for lease, attempt in mine.items():
            at, progress = self._told.setdefault(lease, (now, (0.0, "")))
            news = attempt.work.progress
            wait = PROGRESS_SECONDS if news != progress else self._lease_seconds / 3
            if now >= at + wait:
                self._beat_for(attempt, news)
                self._told[lease] = (now, news)

    def _beat_for(self, attempt: Attempt, progress: tuple[float, str]) -> None:
        try:
            with self._site.database.session() as session:
                queue.heartbeat(session, attempt.lease, self._lease_seconds, *progress)
        except LeaseLost:  # or it has just ended, and then this does nothing
            attempt.work.stop(LOST)

    def _cancel_waiting(self, job_id: str, kind: str) -> None:
        """End a job that was cancelled before it ran; this needs no free slot."""
        if kind not in self._tasks:
            return
        context = self._site.context(Lease(job_id, 0, ""))
        try:
            cancel_waiting(self._site.database, job_id, self._tasks[kind], context)
            log.info("job_cancelled_waiting", job_id=job_id, kind=kind)
        except LeaseLost:
            log.debug("job_not_waiting", job_id=job_id)  # another worker was first

    def _take_over(self, lease: Lease, kind: str) -> None:
        """Take a job from a worker that is gone: it is tried again, or fails when no attempt is left."""
        if kind not in self._tasks:
            return
        context = self._site.context(lease)
        try:
            status = settle(self._site.database, lease, self._tasks[kind], WORKER_GONE, context)
        except LeaseLost:
            log.debug("job_not_stale", job_id=lease.job_id)  # another worker was first
        else:
            log.warning("job_taken_over", job_id=lease.job_id, attempt=lease.attempt, status=status)
            context.storage.clear_scratch()
