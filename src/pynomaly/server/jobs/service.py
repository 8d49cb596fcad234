"""Jobs as people see them: list them, look at one, stop one; a parent with how its children stand."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pynomaly.errors import BadValue
from pynomaly.server import paging
from pynomaly.server.access import find, require, visible
from pynomaly.server.jobs import family, settle
from pynomaly.server.jobs.family import Counts
from pynomaly.server.jobs.models import FINISHED, UNDER_WAY, Job, JobStatus
from pynomaly.server.jobs.tasks import Context, Task
from pynomaly.server.users.models import User

SORTS = paging.Sorts(Job.id, {"created_at": Job.created_at, "kind": Job.kind, "status": Job.status})


@dataclass(frozen=True, slots=True)
class Filters:
    """Which jobs to list; None: any."""

    status: JobStatus | None = None
    kind: str | None = None
    subject_id: str | None = None
    parent_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    finished: bool | None = None
    """Those to which nothing more will happen, or those that wait or run."""


def get(session: Session, actor: User, id_: str) -> tuple[Job, Counts | None]:
    """Return one job and, of a parent, how many children have which status."""
    job = find(session, actor, Job, id_)
    return job, family.counts(session, [job.id]).get(job.id)


def list_page(
    session: Session,
    actor: User,
    filters: Filters,
    kinds: Collection[str],
    sort: str = "-created_at",
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[tuple[Job, Counts | None]], str | None]:
    """List jobs with their children's counts; returns them and the next page's cursor (None: the last).

    Raises:
        BadValue: there is no such kind (of `kinds`) or order.
        BadCursor: the cursor is not one of this list's.
    """
    if filters.kind is not None and filters.kind not in kinds:
        raise BadValue(f"kind is one of {', '.join(sorted(kinds))}.", pointer="#/kind", place="query")
    query = visible(actor, Job)
    for name in ("status", "kind", "subject_id", "parent_id"):
        if (wanted := getattr(filters, name)) is not None:
            query = query.where(getattr(Job, name) == wanted)
    if filters.finished is not None:
        query = query.where(Job.status.in_(sorted(FINISHED if filters.finished else UNDER_WAY)))
    if filters.since is not None:
        query = query.where(Job.created_at >= filters.since)
    if filters.until is not None:
        query = query.where(Job.created_at < filters.until)
    page = paging.page(session, query, SORTS, sort, cursor, limit)
    found = family.counts(session, [job.id for job in page.items])
    return [(job, found.get(job.id)) for job in page.items], page.next_cursor


def cancel(
    session: Session, actor: User, id_: str, tasks: Mapping[str, Task], context: Context
) -> tuple[Job, Counts | None]:
    """Stop a job, and a parent's children; what has ended stays as it is.

    Raises:
        NotFound: there is none with this id, or the actor may not see it.
        Forbidden: the actor may only look.
    """
    require(actor, "jobs:write")
    settle.cancel(session, find(session, actor, Job, id_, need="own"), tasks, context)
    return get(session, actor, id_)
