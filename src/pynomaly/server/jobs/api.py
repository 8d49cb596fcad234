"""REST routes of jobs: look at one, cancel it."""

from typing import Annotated

from fastapi import APIRouter

from pynomaly.server.access import find
from pynomaly.server.jobs import settle
from pynomaly.server.jobs.context import ContextDep
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.schemas import JobAnswer
from pynomaly.server.tasks import TASKS
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.deps import SessionDep, may

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=ApiRoute)
Reader = Annotated[User, may("jobs:read")]
Writer = Annotated[User, may("jobs:write")]


@router.get("/{id}", response_model=JobAnswer)
def show(actor: Reader, session: SessionDep, id: str) -> Job:  # noqa: A002 - the path parameter's name
    """Tell how far a job is."""
    return find(session, actor, Job, id)


@router.post("/{id}/cancel", response_model=JobAnswer)
def cancel(
    actor: Writer,
    session: SessionDep,
    context: ContextDep,
    id: str,  # noqa: A002 - the path parameter's name
) -> Job:
    """Stop a job; one that has ended stays as it is.

    One that waits is `cancelled` at once. A running job's process is killed within two seconds; its status is
    then `cancelled`.
    """
    job = find(session, actor, Job, id, lock=True)
    settle.cancel(session, job, TASKS, context)
    return job
