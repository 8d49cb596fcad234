"""The page on which a detector's owner says who else may see or use it."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.errors import InputError, PynomalyError
from pynomaly.server.detectors import service
from pynomaly.server.detectors.models import Detector
from pynomaly.server.sharing import service as sharing
from pynomaly.server.sharing.models import Access
from pynomaly.server.users.models import User
from pynomaly.server.web import forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)


@router.get("/detectors/{id_}/share")
def show(
    request: Request, actor: PageActor, session: SessionDep, id_: str, cursor: str | None = None
) -> HTMLResponse:
    """Show who has the detector, and the form that gives it to somebody."""
    return _page(request, session, actor, id_, cursor=cursor)


@router.post("/detectors/{id_}/share")
def share(request: Request, actor: PageActor, session: SessionDep, form: FormDep, id_: str) -> Response:
    """Give the detector to a person or to everyone, or change what they may do with it."""
    typed = forms.texts(form)
    access: Access = "use" if typed.get("access") == "use" else "view"
    everyone = typed.get("whom") == "everyone"
    email = None if everyone else typed.get("email", "").strip()
    try:
        with session.begin_nested():
            sharing.give(session, actor, Detector, id_, access, email=email, everyone=everyone)
    except InputError as problem:
        return _page(request, session, actor, id_, typed, problem)
    return RedirectResponse(f"/detectors/{id_}/share", 303)


@router.post("/detectors/{id_}/unshare")
def unshare(actor: PageActor, session: SessionDep, form: FormDep, id_: str) -> Response:
    """Take the detector back from a person, or from everyone."""
    user_id = forms.texts(form).get("user_id") or None
    sharing.take_back(session, actor, Detector, id_, user_id=user_id, everyone=user_id is None)
    return RedirectResponse(f"/detectors/{id_}/share", 303)


def _page(
    request: Request,
    session: Session,
    actor: User,
    id_: str,
    typed: dict[str, str] | None = None,
    problem: PynomalyError | None = None,
    cursor: str | None = None,
) -> HTMLResponse:
    detector = service.get(session, actor, id_, need="own")
    shares, next_cursor = sharing.list_page(session, actor, Detector, id_, cursor)
    path = f"/detectors/{id_}/shares"
    body = {"email": "ada@example.org", "access": "use"}
    calls = [
        ApiCall(_("List who has it"), "GET", path, f'shares = list(client.detectors.shares("{id_}"))'),
        ApiCall(
            _("Share it with a person"),
            "PUT",
            path,
            f'client.detectors.share("{id_}", email="ada@example.org", access="use")',
            json=body,
        ),
    ]
    return render(
        request,
        "detectors/share.html",
        status=problem.status if problem else 200,
        actor=actor,
        detector=detector,
        shares=shares,
        typed={"whom": "person", "email": "", "access": "use"} | (typed or {}),
        error=problem.message if problem else "",
        cursor=cursor,
        next_cursor=next_cursor,
        api_calls=calls,
    )
