"""The pages of detectors: list, form, detail with training."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.detection import catalogue
from pynomaly.detection.entries.info import AlgorithmInfo
from pynomaly.errors import Conflict, InputError, MissingExtra, NotFound, PynomalyError
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detectors import changes, service
from pynomaly.server.detectors.models import Detector, DetectorStatus, Model
from pynomaly.server.users.models import User
from pynomaly.server.web import forms
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

CHOICES_SHOWN = 100


@dataclass(frozen=True)
class Line:
    """One detector in the list."""

    id: str
    name: str
    algorithm: str
    status: DetectorStatus
    created_at: datetime


@router.get("/detectors")
def show_all(
    request: Request, actor: PageActor, session: SessionDep, cursor: str | None = None
) -> HTMLResponse:
    """List the detectors, newest first."""
    found, next_cursor = service.list_page(session, actor, cursor)
    lines = [Line(d.id, d.name, catalogue.get(d.algorithm).title, d.status, d.created_at) for d in found]
    return render(
        request, "detectors/list.html", actor=actor, detectors=lines, cursor=cursor, next_cursor=next_cursor
    )


@router.get("/detectors/new")
def ask(request: Request, actor: PageActor, algorithm: str = "") -> HTMLResponse:
    """Show the form of a new detector."""
    info = catalogue.get(algorithm or catalogue.DEFAULT)
    return _form(request, actor, None, info)


@router.post("/detectors/new")
def create(request: Request, actor: PageActor, session: SessionDep, form: FormDep) -> Response:
    """Make a detector and show it, or show the form again with what is wrong."""
    return _save(request, session, actor, None, forms.texts(form))


@router.get("/detectors/{id_}")
def show(request: Request, actor: PageActor, session: SessionDep, id_: str) -> HTMLResponse:
    """Show one detector."""
    return _detail(request, session, actor, id_)


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


@router.post("/detectors/{id_}/train")
def train(request: Request, actor: PageActor, session: SessionDep, form: FormDep, id_: str) -> Response:
    """Start training a detector on a dataset."""
    try:
        with session.begin_nested():
            service.start_training(session, actor, id_, forms.texts(form).get("dataset", ""))
    except (InputError, Conflict) as problem:
        return _detail(request, session, actor, id_, problem)
    return RedirectResponse(f"/detectors/{id_}", 303)


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
    return typed | general | forms.threshold_typed(service.ways(detector)) | by_hand


def _detail(
    request: Request, session: Session, actor: User, id_: str, problem: PynomalyError | None = None
) -> HTMLResponse:
    detector = service.get(session, actor, id_)
    found, _ = datasets.list_page(session, actor, limit=CHOICES_SHOWN)
    model = service.model_of(session, detector)
    return render(
        request,
        "detectors/detail.html",
        status=problem.status if problem else 200,
        actor=actor,
        detector=detector,
        job=detector.job,
        algorithm=catalogue.get(detector.algorithm),
        datasets=[(dataset.id, dataset.name) for dataset in found if dataset.status == "ready"],
        model=model,
        trained_on=_trained_on(session, actor, model),
        error=problem.message if problem else "",
    )


def _trained_on(session: Session, actor: User, model: Model | None) -> Dataset | None:
    """Find the dataset that a model was trained on; None when it is gone or not the actor's."""
    if model is None or model.dataset_id is None:
        return None
    try:
        return datasets.get(session, actor, model.dataset_id)
    except NotFound:
        return None
