"""The form that makes or changes a detector, and the copy of one."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.detection import catalogue
from pynomaly.detection.entries.info import AlgorithmInfo
from pynomaly.errors import Conflict, InputError, MissingExtra, PynomalyError
from pynomaly.server.detectors import changes, service
from pynomaly.server.detectors.models import Detector
from pynomaly.server.names import MAX_NAME
from pynomaly.server.users.models import User
from pynomaly.server.web import forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)


@router.get("/detectors/new")
def ask(request: Request, actor: PageActor, algorithm: str = "") -> HTMLResponse:
    """Show the form of a new detector."""
    info = catalogue.get(algorithm or catalogue.DEFAULT)
    return _form(request, actor, None, info)


@router.post("/detectors/new")
def create(request: Request, actor: PageActor, session: SessionDep, form: FormDep) -> Response:
    """Make a detector and show it, or show the form again with what is wrong."""
    return _save(request, session, actor, None, forms.texts(form))


@router.get("/detectors/{id_}/edit")
def ask_changes(
    request: Request, actor: PageActor, session: SessionDep, id_: str, algorithm: str = ""
) -> HTMLResponse:
    """Show the form that changes a detector."""
    detector = service.get(session, actor, id_)
    return _form(request, actor, detector, catalogue.get(algorithm or detector.algorithm))


@router.post("/detectors/{id_}/edit")
def change(request: Request, actor: PageActor, session: SessionDep, form: FormDep, id_: str) -> Response:
    """Change a detector and show it, or show the form again with what is wrong."""
    return _save(request, session, actor, service.get(session, actor, id_), forms.texts(form))


@router.post("/detectors/{id_}/duplicate")
def duplicate(actor: PageActor, session: SessionDep, id_: str) -> Response:
    """Make an untrained detector with the same settings as one that the actor sees, and show its form."""
    old = service.get(session, actor, id_)
    copy = service.create(
        session,
        actor,
        (_("Copy of %(name)s") % {"name": old.name})[:MAX_NAME],
        old.algorithm,
        old.parameters,
        old.columns,
        old.seed,
        old.description,
        **service.ways(old),
    )
    return RedirectResponse(f"/detectors/{copy.id}/edit", 303)


def _save(
    request: Request, session: Session, actor: User, detector: Detector | None, typed: dict[str, str]
) -> Response:
    info = catalogue.get(typed.get("algorithm", ""))
    errors: dict[str, str] = {}
    recipe = _recipe(info, typed, errors)
    if errors:
        return _form(request, actor, detector, info, typed, errors)
    try:
        with session.begin_nested():
            if detector is None:
                saved = service.create(session, actor, **recipe)
            else:
                saved = changes.patch(session, actor, detector.id, recipe)
    except (InputError, Conflict, MissingExtra) as problem:
        return _form(request, actor, detector, info, typed, problem=problem)
    return RedirectResponse(f"/detectors/{saved.id}", 303)


def _recipe(info: AlgorithmInfo, typed: Mapping[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """Read the form's settings; what is wrong goes to `errors`."""
    read = forms.answers(info, typed)
    errors.update(read.errors)
    columns = [line.strip() for line in typed.get("columns", "").splitlines() if line.strip()]
    return {
        "name": typed.get("name", ""),
        "algorithm": info.name,
        "parameters": read.values,
        "columns": columns or None,
        "seed": forms.single(catalogue.SEED, typed, errors),
        **({"description": typed["description"]} if "description" in typed else {}),
        **({} if typed.get(forms.WAY) == forms.OWN else forms.threshold(typed, errors)),
    }


def _form(
    request: Request,
    actor: User,
    detector: Detector | None,
    info: AlgorithmInfo,
    typed: dict[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    wrong = dict(errors or {})
    if typed is None and detector is not None:
        typed = _as_typed(detector, info)
    return render(
        request,
        "detectors/form.html",
        status=problem.status if problem else 422 if wrong else 200,
        actor=actor,
        detector=detector,
        catalogue=catalogue.CATALOGUE,
        algorithm=info,
        fields=forms.fields(info, typed, wrong),
        ways=forms.ways(detector.threshold if detector else None),
        typed=typed or {},
        errors=wrong,
        error=problem.message if problem else forms.count_errors(wrong),
        columns=(typed or {}).get("columns", ""),
        api_calls=[_api_call(detector, info)],
    )


def _as_typed(detector: Detector, info: AlgorithmInfo) -> dict[str, str]:
    """Write a detector as its form would hold it; another algorithm's parameters start at their defaults."""
    parameters = detector.parameters if detector.algorithm == info.name else {}
    typed = {
        forms.PREFIX + parameter.name: forms.text(parameters.get(parameter.name, parameter.default))
        for parameter in info.parameters
    }
    columns = "\n".join(detector.columns or [])
    general = {"name": detector.name, "columns": columns, "seed": str(detector.seed)}
    by_hand = {forms.WAY: forms.OWN} if detector.threshold is not None else {}
    told = {"description": detector.description}
    return typed | general | told | forms.threshold_typed(service.ways(detector)) | by_hand


def _api_call(detector: Detector | None, info: AlgorithmInfo) -> ApiCall:
    parameters = {one.name: one.default for one in info.parameters[:1]}
    body = {"algorithm": info.name, "parameters": parameters}
    given = f'algorithm="{info.name}", parameters={parameters!r}'
    if detector is None:
        line = f'detector = client.detectors.create(name="payments", {given})'
        return ApiCall(_("Make a detector"), "POST", "/detectors", line, json={"name": "payments", **body})
    line = f'client.detectors.update("{detector.id}", {given})'
    return ApiCall(_("Change the detector"), "PATCH", f"/detectors/{detector.id}", line, json=body)
