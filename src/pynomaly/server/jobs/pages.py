"""The one page action on jobs: cancel. What a job does is shown on the page of what it works on."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from pynomaly.server.access import find
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job
from pynomaly.server.web import forms
from pynomaly.server.web.cookies import local_path
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep

router = APIRouter(include_in_schema=False)


@router.post("/jobs/{id_}/cancel")
def cancel(actor: PageActor, session: SessionDep, form: FormDep, id_: str) -> Response:
    """Ask for a job to be stopped, and go back to the page that `next` names."""
    queue.cancel(session, find(session, actor, Job, id_, lock=True))
    return RedirectResponse(local_path(forms.texts(form).get("next", "/")), 303)
