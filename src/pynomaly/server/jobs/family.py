"""Jobs that are made of other jobs: a parent has no work of its own, and stands as its children stand.

No worker runs a parent: its kind is no task's, and while it is `running` it has no worker and no lease.
Whoever ends a child brings the parent up to date in the same transaction. A parent is always locked after its
children, and of two parents the one with the lower id first, so that nobody waits in a circle.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pynomaly.server.db import utc_now
from pynomaly.server.jobs.models import FINISHED, Job, JobStatus

Counts = dict[JobStatus, int]


def counts(session: Session, parent_ids: Collection[str]) -> dict[str, Counts]:
    """Count the children of each parent by status; jobs without children are left out."""
    query = select(Job.parent_id, Job.status, func.count()).where(Job.parent_id.in_(parent_ids))
    found: dict[str, Counts] = {}
    for parent_id, status, count in session.execute(query.group_by(Job.parent_id, Job.status)):
        found.setdefault(str(parent_id), {})[status] = count
    return found


def begun(session: Session, jobs: Collection[Job]) -> None:
    """Note that children were claimed: their parents are running."""
    for parent_id in sorted({job.parent_id for job in jobs if job.parent_id is not None}):
        waiting = update(Job).where(Job.id == parent_id, Job.status == "queued")
        session.execute(waiting.values(status="running", started_at=utc_now()))


def ended(session: Session, parent_id: str | None) -> None:
    """Bring a parent up to date after children ended; the last one's end is the parent's."""
    if parent_id is None:
        return
    session.flush()
    parent = session.get(Job, parent_id, with_for_update=True, populate_existing=True)
    if parent is None or parent.finished:
        return
    found = counts(session, [parent_id]).get(parent_id, {})  # after the lock: it sees all that ended before
    done, total = sum(found.get(status, 0) for status in FINISHED), sum(found.values())
    parent.progress = done / total if total else 1.0
    if done < total:
        parent.progress_text = f"{done} of {total} done"
        return
    parent.status, parent.progress_text, parent.finished_at = _status(parent, found), "", utc_now()
    parent.error_code, parent.error_detail = _error(parent.status, found, total)
    session.flush()


def _status(parent: Job, found: Mapping[JobStatus, int]) -> JobStatus:
    """Cancelled when that was asked for and prevented anything; else one success is enough."""
    if parent.cancel_requested and found.get("cancelled"):
        return "cancelled"
    if found.get("completed"):
        return "completed"
    return "failed" if found.get("failed") else "cancelled"


def _error(status: JobStatus, found: Mapping[JobStatus, int], total: int) -> tuple[str | None, str | None]:
    missed = total - found.get("completed", 0)
    if not missed:
        return None, None
    code = {"failed": "children_failed", "cancelled": "cancelled"}.get(status, "some_children_failed")
    return code, f"{missed} of {total} have no result: each job says why."
