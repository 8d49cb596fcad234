"""The pages of jobs: what runs and waits, what has ended and how, one job, and stopping it."""

from datetime import datetime
from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.server import subjects
from pynomaly.server.db import utc_now
from pynomaly.server.jobs import service
from pynomaly.server.jobs.context import ContextDep
from pynomaly.server.jobs.family import Counts
from pynomaly.server.jobs.models import FINISHED, Job, JobStatus
from pynomaly.server.subjects import Subject
from pynomaly.server.tasks import KINDS, TASKS
from pynomaly.server.users.models import User
from pynomaly.server.web import forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.cookies import local_path
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
SHOWN = 25
UNDER_WAY_SHOWN = 50
CHILDREN_SHOWN = 200


class Line:
    """One job in a list: what it works on, whose it is, how long it took."""

    def __init__(self, job: Job, children: Counts | None, subject: Subject | None, owner: str) -> None:
        """Put together what several tables tell."""
        self.job, self.children, self.subject, self.owner = job, children, subject, owner

    @property
    def seconds(self) -> float | None:
        """How long it runs, or ran; None: it has not begun."""
        return _seconds(self.job.started_at, self.job.finished_at or utc_now())


@router.get("/jobs")
def show_all(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    status: str = "",
    kind: str = "",
    cursor: str | None = None,
) -> HTMLResponse:
    """List jobs: those that run or wait, then those that have ended, newest first."""
    wanted = status if status in STATUSES else None
    of_kind = kind if kind in KINDS else None
    under_way: list[Line] = []
    ended: list[Line] = []
    next_cursor = None
    if cursor is None and wanted not in FINISHED:
        filters = service.Filters(wanted, of_kind, finished=False)
        found, _more = service.list_page(session, actor, filters, KINDS, limit=UNDER_WAY_SHOWN)
        under_way = sorted(_lines(session, actor, found), key=lambda one: one.job.status != "running")
    if wanted is None or wanted in FINISHED:
        filters = service.Filters(wanted, of_kind, finished=True)
        found, next_cursor = service.list_page(session, actor, filters, KINDS, cursor=cursor, limit=SHOWN)
        ended = _lines(session, actor, found)
    return render(
        request,
        "jobs/list.html",
        actor=actor,
        under_way=under_way,
        ended=ended,
        statuses=STATUSES,
        kinds=sorted(KINDS),
        wanted_status=wanted or "",
        wanted_kind=of_kind or "",
        cursor=cursor,
        next_cursor=next_cursor,
        api_calls=_list_calls(wanted, of_kind),
    )


@router.get("/jobs/{id_}")
def show(request: Request, actor: PageActor, session: SessionDep, id_: str) -> HTMLResponse:
    """Show one job, and the jobs that it is made of."""
    [line] = _lines(session, actor, [service.get(session, actor, id_)])
    children: list[Line] = []
    if line.children:
        filters = service.Filters(parent_id=id_)
        found, _more = service.list_page(session, actor, filters, KINDS, limit=CHILDREN_SHOWN)
        children = _lines(session, actor, found)
    return render(
        request,
        "jobs/detail.html",
        actor=actor,
        line=line,
        job=line.job,
        waited=_seconds(line.job.created_at, line.job.started_at or line.job.finished_at or utc_now()),
        children=children,
        api_calls=_job_calls(id_),
    )


@router.post("/jobs/{id_}/cancel")
def cancel(actor: PageActor, session: SessionDep, context: ContextDep, form: FormDep, id_: str) -> Response:
    """Stop a job, and go back to the page that `next` names."""
    service.cancel(session, actor, id_, TASKS, context)
    return RedirectResponse(local_path(forms.texts(form).get("next", "/jobs")), 303)


def _lines(session: Session, actor: User, found: list[tuple[Job, Counts | None]]) -> list[Line]:
    jobs = [job for job, _children in found]
    about = subjects.of_jobs(session, actor, jobs)
    people = subjects.owners(session, jobs) if actor.is_admin else {}
    return [
        Line(job, children, about.get(job.id), people.get(job.owner_id or "", "")) for job, children in found
    ]


def _seconds(begin: datetime | None, end: datetime) -> float | None:
    return None if begin is None else max(0.0, (end - begin).total_seconds())


def _list_calls(status: str | None, kind: str | None) -> list[ApiCall]:
    query = {name: value for name, value in (("status", status), ("kind", kind)) if value}
    given = ", ".join(f'{name}="{value}"' for name, value in query.items())
    line = f"for job in client.jobs.list({given}):\n    print(job.kind, job.status, job.progress)"
    return [ApiCall(_("List the jobs"), "GET", "/jobs", line, query=query)]


def _job_calls(id_: str) -> list[ApiCall]:
    return [
        ApiCall(_("Tell how far the job is"), "GET", f"/jobs/{id_}", f'client.jobs.get("{id_}")'),
        ApiCall(_("Cancel the job"), "POST", f"/jobs/{id_}/cancel", f'client.jobs.cancel("{id_}")'),
    ]
