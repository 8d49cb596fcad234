"""The end of an attempt: its effects and the job's new state, in one transaction, behind the fence."""

from collections.abc import Callable, Mapping

import structlog
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from pynomaly.errors import LeaseLost, PynomalyError
from pynomaly.server.db import Database
from pynomaly.server.jobs import family, queue
from pynomaly.server.jobs.models import FINISHED, Job
from pynomaly.server.jobs.outcome import CANCELLED, Outcome, unexpected
from pynomaly.server.jobs.queue import Lease
from pynomaly.server.jobs.tasks import Context, Task

log = structlog.get_logger(__name__)


def settle(database: Database, lease: Lease, task: Task, outcome: Outcome, context: Context) -> str:
    """Record how an attempt ended; gives the job's new status.

    Raises LeaseLost when the attempt is not the present one (nothing is written), and OperationalError or
    InterfaceError when the database cannot be reached: then it may be called again.
    """
    if outcome.kind == "done":
        try:
            return _finish(database, lease, task, outcome, context)
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except PynomalyError as error:
            outcome = Outcome("failed", error.code, error.message)
        except Exception as error:  # whatever a task raises ends its job, not the worker
            log.exception("job_finish_error", job_id=lease.job_id, kind=task.kind)
            outcome = unexpected(type(error).__name__)
    how = outcome
    return _whatever_the_task_does(
        task, lambda willing: _end(database, lease, willing, how, context), job_id=lease.job_id
    )


def _finish(database: Database, lease: Lease, task: Task, outcome: Outcome, context: Context) -> str:
    with database.session() as session:
        job = queue.hold(session, lease)
        task.finish(session, job, outcome.result, context)
        queue.complete(session, job)
        family.ended(session, job.parent_id)
        return job.status


def _end(database: Database, lease: Lease, task: Task | None, outcome: Outcome, context: Context) -> str:
    with database.session() as session:
        job = queue.hold(session, lease)
        if job.cancel_requested:
            outcome = CANCELLED
        if outcome.kind == "given_back":
            queue.give_back(session, job)
        elif outcome.kind == "died" and job.attempts < job.max_attempts:
            queue.retry(session, job, outcome.code, outcome.detail)
        else:
            _record(session, job, task, outcome, context)
            family.ended(session, job.parent_id)
        return job.status


def cancel(session: Session, job: Job, tasks: Mapping[str, Task], context: Context) -> None:
    """End a job that waits at once, worker or not; ask for one that runs to be stopped.

    A parent's children are stopped with it; it must not be locked yet, since they are locked first.
    """
    children = select(Job).where(Job.parent_id == job.id, Job.status.not_in(FINISHED)).order_by(Job.id)
    locked = {"populate_existing": True}
    for child in session.scalars(children.with_for_update().execution_options(**locked)).all():
        _cancel(session, child, tasks, context)
    session.refresh(job, with_for_update=True)
    _cancel(session, job, tasks, context)
    session.flush()
    family.ended(session, job.parent_id)
    if job.kind not in tasks:
        family.ended(session, job.id)


def _cancel(session: Session, job: Job, tasks: Mapping[str, Task], context: Context) -> None:
    queue.cancel(session, job)
    if job.status == "queued" and job.kind in tasks:
        _record(session, job, tasks[job.kind], CANCELLED, context)


def cancel_waiting(database: Database, job_id: str, task: Task, context: Context) -> None:
    """End a job that was cancelled before it ran; raises LeaseLost when it does not wait any more."""
    _whatever_the_task_does(
        task, lambda willing: _cancel_waiting(database, job_id, willing, context), job_id=job_id
    )


def _cancel_waiting(database: Database, job_id: str, task: Task | None, context: Context) -> str:
    with database.session() as session:
        job = queue.hold_waiting(session, job_id)
        _record(session, job, task, CANCELLED, context)
        family.ended(session, job.parent_id)
        return job.status


def _whatever_the_task_does(task: Task, step: Callable[[Task | None], str], job_id: str) -> str:
    """Do a step; when the task's `fail` goes wrong, do it without the task: the job must end."""
    try:
        return step(task)
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("job_fail_error", job_id=job_id, kind=task.kind)
        return step(None)


def _record(session: Session, job: Job, task: Task | None, outcome: Outcome, context: Context) -> None:
    """Fail or cancel a locked job, and let its task record that."""
    if task is not None:
        task.fail(session, job, outcome.code, outcome.detail, context)
    queue.fail(session, job, outcome.code, outcome.detail)
