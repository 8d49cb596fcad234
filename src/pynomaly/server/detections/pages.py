"""The pages of one detection: form, progress, result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from pynomaly.detection import catalogue
from pynomaly.detection.entries.info import AlgorithmInfo
from pynomaly.errors import Conflict, InputError, MissingExtra, PynomalyError
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detections import service
from pynomaly.server.detections.result import ResultRow
from pynomaly.server.detectors import service as detectors
from pynomaly.server.users.models import User
from pynomaly.server.web import formats, forms, histogram
from pynomaly.server.web.deps import PageActor, SessionDep, StorageDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

ROWS_SHOWN = 25
CHOICES_SHOWN = 100


@dataclass(frozen=True)
class Reason:
    """One reason, with the length of its bar in percent of the row's strongest reason."""

    text: str
    share: float


@dataclass(frozen=True)
class RankedRow:
    """One row of a result, ready to show."""

    row: int
    score: float
    p_value: float
    is_anomaly: bool
    summary: str | None
    reasons: list[Reason]
    cells: Mapping[str, Any]
    nearest_row: int | None
    nearest_cells: Mapping[str, Any]


@router.get("/detections/new")
def ask(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    dataset: str = "",
    detector: str = "",
    algorithm: str = "",
) -> HTMLResponse:
    """Ask what to look for: first in which dataset, then how."""
    if not dataset:
        return _choose_dataset(request, session, actor, detector)
    asked = _Asked(dataset, detector, algorithm)
    return _form(request, session, actor, asked)


@router.post("/detections/new")
def start(request: Request, actor: PageActor, session: SessionDep, form: FormDep) -> Response:
    """Start a detection and show it, or show the form again with what is wrong."""
    typed = forms.texts(form)
    asked = _Asked(typed.get("dataset", ""), typed.get("detector", ""), typed.get("algorithm", ""), form)
    errors: dict[str, str] = {}
    try:
        if asked.detector:
            recipe = {} if typed.get(forms.WAY) == forms.OWN else forms.threshold(typed, errors)
        else:
            recipe = _recipe(session, actor, asked, errors)
        if errors:
            return _form(request, session, actor, asked, errors=errors)
        with session.begin_nested():
            detection = service.start(session, actor, asked.dataset, asked.detector or None, **recipe)
    except (InputError, Conflict, MissingExtra) as problem:
        return _form(request, session, actor, asked, problem=problem)
    return RedirectResponse(f"/detections/{detection.id}", 303)


@router.get("/detections/{id_}")
def show(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    id_: str,
    sort: str = "-score",
    cursor: str | None = None,
) -> HTMLResponse:
    """Show one detection: how far it is, what it found, or why it failed."""
    detection = service.get(session, actor, id_)
    rows: list[ResultRow] = []
    next_cursor = None
    if detection.status == "completed":
        rows, next_cursor = service.rows(session, actor, storage, id_, sort, ROWS_SHOWN, cursor)
    metrics = detection.metrics or {}
    return render(
        request,
        "detections/detail.html",
        actor=actor,
        detection=detection,
        job=detection.job,
        dataset=detection.dataset,
        detector=detection.detector,
        algorithm=catalogue.get(detection.algorithm),
        picture=histogram.draw(detection.score_histogram, detection.threshold),
        rows=[_ranked(row) for row in rows],
        cursor=cursor,
        next_cursor=next_cursor,
        sort=sort,
        phases=metrics.get("phases") or {},
        quality=_quality(metrics),
    )


@dataclass(frozen=True)
class _Asked:
    """What a person chose so far; `form` is None before they sent it."""

    dataset: str
    detector: str
    algorithm: str
    form: FormData | None = None

    @property
    def info(self) -> AlgorithmInfo:
        """The algorithm, or else the first one; raises UnknownAlgorithm."""
        return catalogue.get(self.algorithm or catalogue.DEFAULT)


def _choose_dataset(request: Request, session: Session, actor: User, detector: str) -> HTMLResponse:
    found, _ = datasets.list_page(session, actor, limit=CHOICES_SHOWN)
    ready = [dataset for dataset in found if dataset.status == "ready"]
    return render(request, "detections/choose.html", actor=actor, datasets=ready, detector=detector)


def _form(
    request: Request,
    session: Session,
    actor: User,
    asked: _Asked,
    errors: Mapping[str, str] | None = None,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    dataset = datasets.get_ready(session, actor, asked.dataset)
    detector = detectors.get(session, actor, asked.detector) if asked.detector else None
    info = catalogue.get(detector.algorithm) if detector else asked.info
    typed = forms.texts(asked.form) if asked.form else None
    by_hand = detector.threshold if detector is not None else None
    if by_hand is not None and typed is None:
        typed = {forms.WAY: forms.OWN}
    if typed is None and detector is not None:
        typed = forms.threshold_typed(detectors.ways(detector))
    wrong = dict(errors or {})
    status = problem.status if problem else 422 if wrong else 200
    return render(
        request,
        "detections/new.html",
        status=status,
        actor=actor,
        dataset=dataset,
        detector=detector,
        detectors=detectors.list_page(session, actor, limit=10)[0],
        catalogue=catalogue.CATALOGUE,
        algorithm=info,
        fields=forms.fields(info, typed, wrong),
        ways=forms.ways(by_hand),
        typed=typed or {},
        errors=wrong,
        error=problem.message if problem else forms.count_errors(wrong),
        names=_usable(dataset),
        left_out=forms.listed(asked.form, "leave_out") if asked.form else [],
    )


def _usable(dataset: Dataset) -> list[str]:
    """Name the columns that detection may use."""
    return [c["name"] for c in dataset.columns if not c["unused"] and c["name"] != dataset.label_column]


def _recipe(session: Session, actor: User, asked: _Asked, errors: dict[str, str]) -> dict[str, Any]:
    """Read the form's settings; what is wrong goes to `errors`."""
    form = asked.form or FormData()
    typed = forms.texts(form)
    read = forms.answers(asked.info, typed)
    errors.update(read.errors)
    left_out = set(forms.listed(form, "leave_out"))
    names = _usable(datasets.get_ready(session, actor, asked.dataset)) if left_out else []
    kept = [name for name in names if name not in left_out]
    if left_out and not kept:
        errors["leave_out"] = "Keep at least one column."
    return {
        "algorithm": asked.info.name,
        "parameters": read.values,
        "seed": forms.single(catalogue.SEED, typed, errors),
        **forms.threshold(typed, errors),
        "columns": kept or None,
    }


def _ranked(row: ResultRow) -> RankedRow:
    strongest = max((reason["contribution"] for reason in row.reasons), default=0) or 1
    reasons = [
        Reason(reason["text"], round(max(0, reason["contribution"]) / strongest * 100, 1))
        for reason in row.reasons
    ]
    near = row.nearest_normal or {"row": None, "values": {}}
    return RankedRow(
        row=row.row,
        score=row.score,
        p_value=row.p_value,
        is_anomaly=row.is_anomaly,
        summary=row.summary,
        reasons=reasons,
        cells=row.values,
        nearest_row=near["row"],
        nearest_cells=near["values"],
    )


def _quality(metrics: Mapping[str, Any]) -> str:
    """Say how well the scores agree with the labels; empty when there are none."""
    named = (("auc_roc", "area under the ROC curve"), ("average_precision", "average precision"))
    found = [(title, metrics.get(key)) for key, title in named]
    return ", ".join(f"{title} {formats.number(share, 3)}" for title, share in found if share is not None)
