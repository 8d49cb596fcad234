"""The one page action on jobs: cancel. What a job does is shown on the page of what it works on."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from pynomaly.server.jobs import service
from pynomaly.server.jobs.context import ContextDep
from pynomaly.server.tasks import TASKS
from pynomaly.server.web import forms
from pynomaly.server.web.cookies import local_path
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep

router = APIRouter(include_in_schema=False)


@router.post("/jobs/{id_}/cancel")
def cancel(actor: PageActor, session: SessionDep, context: ContextDep, form: FormDep, id_: str) -> Response:
    """Stop a job, and go back to the page that `next` names."""
    service.cancel(session, actor, id_, TASKS, context)
    return RedirectResponse(local_path(forms.texts(form).get("next", "/")), 303)
