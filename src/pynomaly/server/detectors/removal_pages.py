"""The page that asks before a detector is deleted, with what depends on it."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, NotReady
from pynomaly.server.datasets.dependents import ResultsDep
from pynomaly.server.datasets.results import Results
from pynomaly.server.detectors import changes, service
from pynomaly.server.detectors.models import Model
from pynomaly.server.users.models import User
from pynomaly.server.web import forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep, StorageDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)


@router.get("/detectors/{id_}/delete")
def ask(
    request: Request, actor: PageActor, session: SessionDep, results: ResultsDep, id_: str
) -> HTMLResponse:
    """Show what would be deleted, and ask."""
    return _page(request, session, actor, results, id_)


@router.post("/detectors/{id_}/delete")
def delete(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    results: ResultsDep,
    form: FormDep,
    id_: str,
) -> Response:
    """Delete a detector with its versions and, if that was ticked, with its results."""
    try:
        with session.begin_nested():
            cascade = "cascade" in forms.texts(form)
            changes.delete(session, actor, storage, results, id_, cascade=cascade)
    except NotReady as problem:
        return _page(request, session, actor, results, id_, problem.message)
    except Conflict:
        message = _("Results depend on it: say that they are to be deleted, too.")
        return _page(request, session, actor, results, id_, message)
    return RedirectResponse("/detectors?done=deleted", 303)


def _page(
    request: Request,
    session: Session,
    actor: User,
    results: Results,
    id_: str,
    error: str = "",
) -> HTMLResponse:
    detector = service.get(session, actor, id_, need="own")
    count = select(func.count()).select_from(Model).where(Model.detector_id == detector.id)
    call = ApiCall(
        _("Delete it with its results"),
        "DELETE",
        f"/detectors/{id_}",
        f'client.detectors.delete("{id_}", cascade=True)',
        query={"cascade": "true"},
    )
    return render(
        request,
        "detectors/delete.html",
        status=409 if error else 200,
        actor=actor,
        detector=detector,
        n_versions=session.scalar(count) or 0,
        n_results=results.count(session, detector_id=detector.id),
        error=error,
        api_calls=[call],
    )
