"""REST routes of jobs: list them, look at one, cancel it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from pynomaly.server.jobs import service
from pynomaly.server.jobs.context import ContextDep
from pynomaly.server.jobs.models import JobStatus
from pynomaly.server.jobs.schemas import JobAnswer, JobList, present
from pynomaly.server.tasks import KINDS, TASKS
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import Cursor, Limit, SessionDep, Since, Until, may
from pynomaly.server.web.tags import IF_NONE_MATCH, TagsDep

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=ApiRoute)
Reader = Annotated[User, may("jobs:read")]
Writer = Annotated[User, may("jobs:write")]
Sort = Literal["created_at", "-created_at", "kind", "-kind", "status", "-status"]
Id = Annotated[str | None, Query(max_length=36)]


@router.get("")
def show_all(
    actor: Reader,
    session: SessionDep,
    status: JobStatus | None = None,
    kind: Annotated[str | None, Query(max_length=64, description="Such as `detection.run`.")] = None,
    subject_id: Id = None,
    parent_id: Id = None,
    since: Since = None,
    until: Until = None,
    sort: Sort = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> JobList:
    """List jobs, newest first; `subject_id` is what they work on, `parent_id` the job they are part of."""
    filters = service.Filters(status, kind, subject_id, parent_id, since, until)
    jobs, next_cursor = service.list_page(session, actor, filters, KINDS, sort, cursor, limit)
    return JobList(items=[present(*job) for job in jobs], next_cursor=next_cursor)


@router.get("/{id}")
def show(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002 - the path parameter's name
    _if_none_match: IF_NONE_MATCH = None,
    _fields: Fields = None,
) -> JobAnswer:
    """Tell how far a job is."""
    return tags.give(present(*service.get(session, actor, id)))


@router.post("/{id}/cancel")
def cancel(
    actor: Writer,
    session: SessionDep,
    context: ContextDep,
    id: str,  # noqa: A002 - the path parameter's name
) -> JobAnswer:
    """Stop a job, with its children if it has any; one that has ended stays as it is.

    One that waits is `cancelled` at once. A running job's process is killed within two seconds; its status is
    then `cancelled`.
    """
    return present(*service.cancel(session, actor, id, TASKS, context))
