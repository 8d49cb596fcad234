"""The pages of a detector's versions: compare, put one into use, roll back, name one, move the threshold."""

import math
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, InputError, NotFound, PynomalyError
from pynomaly.server.datasets.dependents import ResultsDep
from pynomaly.server.db import Database
from pynomaly.server.detectors import cuts, differences, service, versions
from pynomaly.server.detectors.models import Detector
from pynomaly.server.detectors.pages import SCORE, dataset_names, detail
from pynomaly.server.detectors.versions import Comparison, Version
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web import forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import DatabaseDep, PageActor, SessionDep, SettingsDep, StorageDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render
from pynomaly.settings import Settings

router = APIRouter(include_in_schema=False)

CHOICES = 100
"""Versions that may be chosen to compare."""


@router.get("/detectors/{id_}/compare")
def compare(
    request: Request, actor: PageActor, session: SessionDep, id_: str, before: str = "", after: str = ""
) -> HTMLResponse:
    """Show what differs between two versions; unless they are named, the latest and the one before."""
    detector = service.get(session, actor, id_)
    listed, _more = versions.list_page(session, actor, id_, limit=CHOICES)
    if not listed:
        raise NotFound(_("The detector has no version yet: train it first."))
    numbers = [str(one.model.version) for one in listed]
    after = after or numbers[0]
    before = before or next((one for one in numbers[1:] if one != after), after)
    found = versions.compare(session, actor, id_, before[:64], after[:64])
    line = f'client.detectors.compare("{id_}", {found.before.model.version}, {found.after.model.version})'
    pair = f"{found.before.model.version},{found.after.model.version}"
    call = ApiCall(
        _("Compare the versions"), "GET", f"/detectors/{id_}/compare", line, query={"versions": pair}
    )
    return render(
        request,
        "detectors/compare.html",
        actor=actor,
        detector=detector,
        listed=listed,
        **_compared(session, actor, found),
        api_calls=[call],
    )


@router.get("/detectors/{id_}/versions/{version}/activate")
def ask_to_activate(
    request: Request, actor: PageActor, session: SessionDep, id_: str, version: str
) -> HTMLResponse:
    """Show what would change, and ask."""
    detector = service.get(session, actor, id_, need="own")
    wanted = versions.get(session, actor, id_, version[:64])
    number = wanted.model.version
    call = ApiCall(
        _("Use this version"),
        "POST",
        f"/detectors/{id_}/versions/{number}/activate",
        f'client.detectors.activate("{id_}", {number})',
    )
    address = f"/detectors/{id_}/versions/{number}/activate"
    return _ask(request, session, actor, detector, wanted, address, call)


@router.post("/detectors/{id_}/versions/{version}/activate")
def activate(
    request: Request, actor: PageActor, session: SessionDep, results: ResultsDep, id_: str, version: str
) -> Response:
    """Put a version into use."""
    try:
        with session.begin_nested():
            versions.activate(session, actor, id_, version[:64])
    except Conflict as problem:
        return detail(request, session, actor, results, id_, problem)
    return RedirectResponse(f"/detectors/{id_}?done=activated", 303)


@router.get("/detectors/{id_}/rollback")
def ask_to_roll_back(
    request: Request, actor: PageActor, session: SessionDep, results: ResultsDep, id_: str
) -> HTMLResponse:
    """Show which version was in use before, what would change, and ask."""
    detector = service.get(session, actor, id_, need="own")
    try:
        wanted = versions.before(session, actor, id_)
    except Conflict as problem:
        return detail(request, session, actor, results, id_, problem)
    path = f"/detectors/{id_}/rollback"
    call = ApiCall(_("Roll back"), "POST", path, f'client.detectors.rollback("{id_}")')
    return _ask(request, session, actor, detector, wanted, path, call)


@router.post("/detectors/{id_}/rollback")
def roll_back(
    request: Request, actor: PageActor, session: SessionDep, results: ResultsDep, form: FormDep, id_: str
) -> Response:
    """Put the version into use that was before; not when another one has come into use since it was asked."""
    try:
        with session.begin_nested():
            service.get(session, actor, id_, need="own", lock=True)
            expected = forms.texts(form).get("version", "")
            if expected and expected != str(versions.before(session, actor, id_).model.version):
                raise Conflict(_("Another version has come into use meanwhile: look again."))
            versions.roll_back(session, actor, id_)
    except Conflict as problem:
        return detail(request, session, actor, results, id_, problem)
    return RedirectResponse(f"/detectors/{id_}?done=activated", 303)


@router.post("/detectors/{id_}/aliases")
def name(
    request: Request, actor: PageActor, session: SessionDep, results: ResultsDep, form: FormDep, id_: str
) -> Response:
    """Give a version a name, or take one back."""
    typed = forms.texts(form)
    try:
        with session.begin_nested():
            if "drop" in typed:
                versions.drop_alias(session, actor, id_, typed["drop"][:64])
            else:
                alias, version = typed.get("alias", "").strip(), typed.get("version", "")
                versions.set_alias(session, actor, id_, alias, version[:64])
    except (InputError, Conflict) as problem:
        wrong = {"alias": problem.message}
        return detail(request, session, actor, results, id_, errors=wrong, typed_alias=typed.get("alias", ""))
    return RedirectResponse(f"/detectors/{id_}?done=named#versions", 303)


@router.post("/detectors/{id_}/threshold")
def move_threshold(
    request: Request,
    actor: PageActor,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    results: ResultsDep,
    form: FormDep,
    id_: str,
) -> Response:
    """Choose anew which rows are anomalies, without training again."""
    typed = forms.texts(form)
    errors: dict[str, str] = {}
    wanted = _wanted(typed, errors)
    problem: PynomalyError | None = None
    if not errors:
        try:
            _move(database, storage, settings, actor, id_, wanted)
        except (InputError, Conflict) as error:
            problem = error
        else:
            return RedirectResponse(f"/detectors/{id_}?done=threshold", 303)
    with database.session(write=False) as session:
        return detail(request, session, actor, results, id_, problem, typed=typed, errors=errors)


def _move(
    database: Database,
    storage: LocalStorage,
    settings: Settings,
    actor: User,
    id_: str,
    wanted: dict[str, Any],
) -> None:
    with database.session(write=False) as session:
        asked = cuts.ask(session, actor, storage, id_, wanted)
    cut = asked.find(settings)
    with database.session() as session:
        cuts.move(session, actor, id_, cut)


def _wanted(typed: dict[str, str], errors: dict[str, str]) -> dict[str, Any]:
    """Read the threshold's form: one of the four ways, or a score."""
    if typed.get(forms.WAY) != SCORE:
        return forms.threshold(typed, errors)
    try:
        score = float(typed.get(forms.WAY_VALUE, "").strip())
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        errors[forms.WAY_VALUE] = _("Type a score, such as 0.62.")
    return {SCORE: score}


def _ask(
    request: Request,
    session: Session,
    actor: User,
    detector: Detector,
    wanted: Version,
    address: str,
    call: ApiCall,
) -> HTMLResponse:
    model = service.model_of(session, detector)
    compared: dict[str, Any] = {
        "before": None,
        "after": wanted,
        "definition": [],
        "columns": [],
        "outcome": [],
    }
    if model is not None and model.id != wanted.model.id:
        versions_ = (str(model.version), str(wanted.model.version))
        compared = _compared(session, actor, versions.compare(session, actor, detector.id, *versions_))
    return render(
        request,
        "detectors/activate.html",
        actor=actor,
        detector=detector,
        address=address,
        **compared,
        api_calls=[call],
    )


def _compared(session: Session, actor: User, found: Comparison) -> dict[str, Any]:
    """What the table of differences needs."""
    models = (found.before.model, found.after.model)
    names = dataset_names(session, actor, {model.dataset_id for model in models})
    return {
        "before": found.before,
        "after": found.after,
        "definition": differences.told(found.definition, names),
        "columns": differences.columns(found.columns),
        "outcome": differences.told(found.outcome, names),
    }
