"""REST routes of jobs: look at one, cancel it."""

from fastapi import APIRouter

from pynomaly.server.access import find
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.schemas import JobAnswer
from pynomaly.server.web.deps import ActorDep, SessionDep

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("/{id}", response_model=JobAnswer)
def show(actor: ActorDep, session: SessionDep, id: str) -> Job:  # noqa: A002 - the path parameter's name
    """Tell how far a job is."""
    return find(session, actor, Job, id)


@router.post("/{id}/cancel", response_model=JobAnswer)
def cancel(actor: ActorDep, session: SessionDep, id: str) -> Job:  # noqa: A002 - the path parameter's name
    """Ask for a job to be stopped; one that has ended stays as it is.

    A running job's process is killed within two seconds; its status is then `cancelled`.
    """
    job = find(session, actor, Job, id, lock=True)
    queue.cancel(session, job)
    return job
