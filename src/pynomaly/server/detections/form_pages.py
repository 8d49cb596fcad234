"""The pages that ask what to look for: which dataset, and how; with a preview on a sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from pynomaly.detection import catalogue
from pynomaly.detection.entries.info import PRESETS, AlgorithmInfo
from pynomaly.errors import Conflict, InputError, MissingExtra, NotFound
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detections import previews, service
from pynomaly.server.detections.models import Preview
from pynomaly.server.detectors import service as detectors
from pynomaly.server.detectors.models import Detector
from pynomaly.server.users.models import User
from pynomaly.server.web import forms, histogram
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

CHOICES_SHOWN = 100
DETECTORS_SHOWN = 10
COLUMN, COLUMNS_SHOWN = "column", "columns-shown"
"""A ticked column's place in the dataset; and a field that tells the form from a plain button."""


@dataclass(frozen=True)
class Asked:
    """What a person chose so far; `form` is None before they sent it."""

    dataset: str
    detector: str = ""
    algorithm: str = ""
    form: FormData | None = None
    typed: Mapping[str, str] | None = None
    """What the fields hold; None: what they hold at first."""

    @property
    def info(self) -> AlgorithmInfo:
        """The algorithm, or else the first one; raises UnknownAlgorithm."""
        return catalogue.get(self.algorithm or catalogue.DEFAULT)


@dataclass(frozen=True)
class Choice:
    """A column of the dataset to tick: `why_not` says why it cannot be used."""

    place: int
    name: str
    type: str
    ticked: bool
    why_not: str = ""


@dataclass
class View:
    """What the form shows beyond what was asked."""

    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    status: int = 200
    preview: Preview | None = None
    ticked: Sequence[str] | None = None
    """Names of the columns that are ticked; None: all that can be used."""
    opened: bool = False


@router.get("/detections/new")
def ask(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    dataset: str = "",
    detector: str = "",
    algorithm: str = "",
    preview: str = "",
) -> HTMLResponse:
    """Ask what to look for: first in which dataset, then how."""
    if not dataset:
        return _choose_dataset(request, session, actor, detector)
    if preview:
        return _previewed(request, session, actor, dataset, preview)
    return _form(request, session, actor, Asked(dataset, detector, algorithm), View(opened=bool(algorithm)))


@router.post("/detections/new")
def start(request: Request, actor: PageActor, session: SessionDep, form: FormDep) -> Response:
    """Start a detection or a preview and show it, or show the form again: with what is wrong, or otherwise.

    With `choose` or `preset` nothing starts: the form comes back with another algorithm, or other settings.
    """
    typed = forms.texts(form)
    asked = Asked(
        typed.get("dataset", ""), typed.get("detector", ""), typed.get("algorithm", ""), form, typed
    )
    if "choose" in typed or "preset" in typed:
        return _changed(request, session, actor, asked, typed)
    errors: dict[str, str] = {}
    try:
        recipe = _recipe(session, actor, asked, typed, errors)
        if errors:
            return _form(request, session, actor, asked, View(errors, status=422, opened=True))
        with session.begin_nested():
            return RedirectResponse(_started(session, actor, asked, typed, recipe), 303)
    except (InputError, Conflict, MissingExtra) as problem:
        return _form(
            request, session, actor, asked, View(problem=problem.message, status=problem.status, opened=True)
        )


def _started(
    session: Session, actor: User, asked: Asked, typed: Mapping[str, str], recipe: dict[str, Any]
) -> str:
    """Start what was asked for; give the address of its page."""
    if typed.get("do") == "preview":
        preview = previews.start(session, actor, asked.dataset, recipe)
        return f"/detections/new?dataset={asked.dataset}&preview={preview.id}"
    detection = service.start(session, actor, asked.dataset, asked.detector or None, **recipe)
    return f"/detections/{detection.id}"


def _choose_dataset(request: Request, session: Session, actor: User, detector: str) -> HTMLResponse:
    found, _cursor = datasets.list_page(session, actor, limit=CHOICES_SHOWN, status="ready")
    call = ApiCall(
        _("List the datasets that are ready"),
        "GET",
        "/datasets",
        'list(client.datasets.list(status="ready"))',
        query={"status": "ready"},
    )
    return render(
        request, "detections/choose.html", actor=actor, datasets=found, detector=detector, api_calls=[call]
    )


def _previewed(request: Request, session: Session, actor: User, dataset: str, id_: str) -> HTMLResponse:
    """Show the form with a preview's settings, and what the preview found."""
    try:
        preview = previews.get(session, actor, id_)
    except NotFound:
        gone = _("That preview is gone: previews are kept for a day.")
        return _form(request, session, actor, Asked(dataset), View(problem=gone, status=404))
    info = catalogue.get(preview.recipe["algorithm"])
    typed = forms.recipe_typed(info, preview.recipe)
    asked = Asked(preview.dataset_id, algorithm=info.name, typed=typed)
    ticked = preview.recipe["columns"]
    return _form(request, session, actor, asked, View(preview=preview, ticked=ticked, opened=True))


def _changed(
    request: Request, session: Session, actor: User, asked: Asked, typed: Mapping[str, str]
) -> HTMLResponse:
    """Show the form with another algorithm or preset; all else stays as it was typed."""
    info = catalogue.get(typed.get("choose") or asked.info.name)
    kept = {name: text for name, text in typed.items() if not name.startswith(forms.PREFIX)}
    if typed.get("preset") in PRESETS:
        kept |= forms.parameters_typed(info, info.preset(typed["preset"]))
    elif info.name == asked.info.name:
        kept = dict(typed)
    else:
        kept |= forms.parameters_typed(info, {})
    changed = Asked(asked.dataset, asked.detector, info.name, asked.form, kept)
    return _form(request, session, actor, changed, View(opened=True))


def _form(request: Request, session: Session, actor: User, asked: Asked, view: View) -> HTMLResponse:
    dataset = datasets.get_ready(session, actor, asked.dataset)
    detector = detectors.get(session, actor, asked.detector) if asked.detector else None
    info = catalogue.get(detector.algorithm) if detector else asked.info
    by_hand = detector.threshold if detector is not None else None
    typed = dict(asked.typed) if asked.typed is not None else _at_first(detector)
    columns = _columns(dataset, asked.form, view.ticked)
    given = typed if any(name.startswith(forms.PREFIX) for name in typed) or asked.form else None
    return render(
        request,
        "detections/new.html",
        status=view.status,
        actor=actor,
        dataset=dataset,
        detector=detector,
        detectors=[] if detector else _trained(session, actor),
        catalogue=catalogue.CATALOGUE,
        algorithm=info,
        fields=forms.fields(info, given, view.errors),
        presets=_presets(info, given),
        ways=forms.way_fields(typed, view.errors, by_hand),
        typed=typed,
        errors=view.errors,
        error=view.problem or forms.count_errors(view.errors),
        columns=columns,
        n_usable=sum(not column.why_not for column in columns),
        opened=view.opened,
        preview=view.preview,
        job=view.preview.job if view.preview else None,
        picture=_picture(view.preview),
        preview_rows=previews.ROWS,
        api_calls=[_call(dataset, detector, info)],
    )


def _at_first(detector: Detector | None) -> dict[str, str]:
    """What the fields hold before anybody typed: the detector's own way of flagging."""
    if detector is None:
        return {}
    if detector.threshold is not None:
        return {forms.WAY: forms.OWN}
    return forms.ways_typed(detectors.ways(detector))


def _trained(session: Session, actor: User) -> list[Detector]:
    """Detectors to use instead."""
    return detectors.list_page(session, actor, limit=DETECTORS_SHOWN)[0]


def _columns(dataset: Dataset, form: FormData | None, ticked: Sequence[str] | None) -> list[Choice]:
    """The columns to tick, but for the label column: those that can be used, and why others cannot."""
    sent = set(forms.listed(form, COLUMN)) if form is not None and COLUMNS_SHOWN in form else None
    chosen = None if ticked is None else set(ticked)
    made = []
    for place, column in enumerate(dataset.columns):
        name, unused = column["name"], column["unused"] or ""
        if name == dataset.label_column:
            continue
        if sent is not None:
            on = str(place) in sent
        else:
            on = not unused if chosen is None else name in chosen
        made.append(Choice(place, name, column["type"], on and not unused, unused))
    return made


def _presets(info: AlgorithmInfo, typed: Mapping[str, str] | None) -> list[tuple[str, str, bool]]:
    """The presets with their titles, and whether the fields hold just that."""
    if not info.presets:
        return []
    titles = {"quick": _("Quick"), "balanced": _("Balanced"), "thorough": _("Thorough")}
    now = forms.parameters_typed(info, {}) | {
        name: text for name, text in (typed or {}).items() if name.startswith(forms.PREFIX)
    }
    return [(name, titles[name], forms.parameters_typed(info, info.preset(name)) == now) for name in PRESETS]


def _picture(preview: Preview | None) -> histogram.Histogram | None:
    if preview is None or not preview.result:
        return None
    return histogram.draw(preview.result["score_histogram"], preview.result["threshold"])


def _call(dataset: Dataset, detector: Detector | None, info: AlgorithmInfo) -> ApiCall:
    body = {"dataset_id": dataset.id} | (
        {"detector_id": detector.id} if detector else {"algorithm": info.name}
    )
    second = f'"{detector.id}"' if detector else f'algorithm="{info.name}"'
    line = f'result = client.detections.detect("{dataset.id}", {second})'
    return ApiCall(_("Find the anomalies"), "POST", "/detection/detect", line, json=body)


def _recipe(
    session: Session, actor: User, asked: Asked, typed: Mapping[str, str], errors: dict[str, str]
) -> dict[str, Any]:
    """Read the form's settings; what is wrong goes to `errors`."""
    if asked.detector:
        return {} if typed.get(forms.WAY) == forms.OWN else forms.threshold(typed, errors)
    if id_ := typed.get("preview"):
        return previews.get(session, actor, id_).recipe
    read = forms.answers(asked.info, typed)
    errors.update(read.errors)
    return {
        "algorithm": asked.info.name,
        "parameters": read.values,
        "seed": forms.single(catalogue.SEED, typed, errors),
        **forms.threshold(typed, errors),
        "columns": _kept(session, actor, asked, errors),
    }


def _kept(session: Session, actor: User, asked: Asked, errors: dict[str, str]) -> list[str] | None:
    """The names of the ticked columns; None: all that can be used."""
    if asked.form is None or COLUMNS_SHOWN not in asked.form:
        return None
    usable = [
        column
        for column in _columns(datasets.get_ready(session, actor, asked.dataset), asked.form, None)
        if not column.why_not
    ]
    kept = [column.name for column in usable if column.ticked]
    if usable and not kept:
        errors[COLUMN] = _("Keep at least one column.")
    return kept if len(kept) < len(usable) else None
