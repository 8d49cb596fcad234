"""The lease queue: enqueue, claim, heartbeat, settle, cancel and take over, each in the caller's transaction.

A job's states: queued -> running -> completed | failed | cancelled, and running -> queued for a retry. The
number of the attempt is the fencing token: whoever runs an attempt that is no longer the present one changes
nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from pynomaly.errors import LeaseLost
from pynomaly.server.db import new_id, utc_now
from pynomaly.server.jobs import family
from pynomaly.server.jobs.models import Job, JobStatus

MAX_BACKOFF = timedelta(seconds=60)


def enqueue(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    owner_id: str | None,
    subject_id: str | None,
    parent_id: str | None = None,
    priority: int = 0,
) -> Job:
    """Add a job; it exists once the caller's transaction commits, with all else that this wrote."""
    job = prepare(
        session,
        kind,
        payload,
        owner_id=owner_id,
        subject_id=subject_id,
        parent_id=parent_id,
        priority=priority,
    )
    session.flush()
    return job


def prepare(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    owner_id: str | None,
    subject_id: str | None,
    parent_id: str | None = None,
    priority: int = 0,
) -> Job:
    """Add a job without sending it to the database yet: many go there together."""
    job = Job(
        id=new_id(),
        kind=kind,
        payload=payload,
        owner_id=owner_id,
        subject_id=subject_id,
        parent_id=parent_id,
        priority=priority,
        max_attempts=session.info.get("job_max_attempts", 3),
    )
    session.add(job)
    return job


def cancel(session: Session, job: Job) -> None:
    """Ask for a job to be stopped; one that is finished stays as it is.

    A worker notices within a second, stops the work if it runs, lets the job's task record the cancellation
    and sets the status `cancelled`. Until then the status is unchanged and `cancel_requested` is true.
    """
    if not job.finished:
        job.cancel_requested = True
        session.flush()


@dataclass(frozen=True)
class Lease:
    """The right to run one attempt of a job."""

    job_id: str
    attempt: int
    worker: str


def lease_of(job: Job) -> Lease:
    """The lease under which a running job runs."""
    return Lease(job.id, job.attempts, job.worker or "")


def claim(session: Session, worker: str, seconds: float, kinds: Collection[str], limit: int = 1) -> list[Job]:
    """Take up to `limit` waiting jobs of these kinds, highest priority and then oldest first."""
    now = utc_now()
    # a moment further ahead than any retry waits means that the clock was set back since
    due = or_(Job.available_at <= now, Job.available_at > now + 2 * MAX_BACKOFF)
    waiting = (
        select(Job)
        .where(Job.status == "queued", Job.kind.in_(kinds), due, Job.cancel_requested.is_(False))
        .order_by(Job.priority.desc(), Job.created_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    jobs = list(session.scalars(waiting))
    for job in jobs:
        job.status, job.worker = "running", worker
        job.attempts += 1
        job.lease_until = now + timedelta(seconds=seconds)
        job.started_at = now
        job.progress, job.progress_text = 0.0, ""
    session.flush()
    family.begun(session, jobs)
    return jobs


def hold(session: Session, lease: Lease) -> Job:
    """Lock the job of this lease until the transaction ends; raises LeaseLost when the lease is lost.

    Everything that an attempt writes goes through here: that is the fence.
    """
    job = session.get(Job, lease.job_id, with_for_update=True, populate_existing=True)
    if job is None or (job.status, job.attempts, job.worker) != ("running", lease.attempt, lease.worker):
        raise LeaseLost(_lost(lease))
    return job


class State(NamedTuple):
    """What a worker watches of a running job."""

    lease: Lease
    kind: str
    lease_until: datetime | None
    cancel_requested: bool


def running(session: Session) -> list[State]:
    """All jobs that run now, on any worker; a parent runs on none."""
    columns = (Job.id, Job.attempts, Job.worker, Job.kind, Job.lease_until, Job.cancel_requested)
    rows = session.execute(select(*columns).where(Job.status == "running", Job.worker.is_not(None)))
    return [State(Lease(row[0], row[1], row[2] or ""), *row[3:]) for row in rows]


def heartbeat(session: Session, lease: Lease, seconds: float, progress: float, text: str) -> None:
    """Extend a lease by `seconds` from now and record the progress; raises LeaseLost."""
    held = update(Job).where(
        Job.id == lease.job_id,
        Job.status == "running",
        Job.attempts == lease.attempt,
        Job.worker == lease.worker,
    )
    until = utc_now() + timedelta(seconds=seconds)
    beat = held.values(lease_until=until, progress=progress, progress_text=text)
    if session.execute(beat.returning(Job.id)).first() is None:
        raise LeaseLost(_lost(lease))


def cancelled_waiting(session: Session, limit: int = 100) -> list[tuple[str, str]]:
    """Id and kind of waiting jobs whose cancellation was asked for: they end without having run."""
    asked = select(Job.id, Job.kind).where(Job.cancel_requested.is_(True), Job.status == "queued")
    return [(id_, kind) for id_, kind in session.execute(asked.limit(limit))]


def hold_waiting(session: Session, job_id: str) -> Job:
    """Lock a job that waits until the transaction ends; raises LeaseLost when it does not wait any more."""
    job = session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None or job.status != "queued":
        raise LeaseLost(f"Job {job_id} does not wait in the queue any more.")
    return job


def complete(session: Session, job: Job) -> None:
    """Record success of a held job."""
    job.progress, job.progress_text = 1.0, ""
    _end(job, "completed")
    session.flush()


def fail(session: Session, job: Job, code: str, detail: str) -> None:
    """Record final failure of a held job, or its cancellation (code "cancelled")."""
    job.error_code, job.error_detail = code, detail
    _end(job, "cancelled" if code == "cancelled" else "failed")
    session.flush()


def retry(session: Session, job: Job, code: str, detail: str) -> None:
    """Put a held job back after its process died; it waits 1 s, 2 s, 4 s … (at most a minute)."""
    job.error_code, job.error_detail = code, detail
    wait = min(timedelta(seconds=2 ** (min(job.attempts, 16) - 1)), MAX_BACKOFF)
    _requeue(job, utc_now() + wait)
    session.flush()


def give_back(session: Session, job: Job) -> None:
    """Put a held job back unfinished because its worker stops; the attempt does not count."""
    job.max_attempts += 1
    _requeue(job, utc_now())
    session.flush()


def _lost(lease: Lease) -> str:
    return f"Attempt {lease.attempt} of job {lease.job_id} is no longer the present one."


def _end(job: Job, status: JobStatus) -> None:
    job.status = status
    job.lease_until = None
    job.finished_at = utc_now()


def _requeue(job: Job, available_at: datetime) -> None:
    job.status = "queued"
    job.lease_until, job.worker = None, None
    job.available_at = available_at
    job.progress, job.progress_text = 0.0, ""
