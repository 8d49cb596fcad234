"""The pages of detectors: the list, and one detector with its versions, its accuracy and its training."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.detection import catalogue
from pynomaly.errors import Conflict, InputError, PynomalyError
from pynomaly.server.access import visible
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.dependents import ResultsDep
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.results import Results
from pynomaly.server.detectors import accuracy, differences, service, versions
from pynomaly.server.detectors.accuracy import Point
from pynomaly.server.detectors.models import Detector, DetectorStatus, Model
from pynomaly.server.sharing.service import Held, held
from pynomaly.server.users.models import User
from pynomaly.server.web import formats, forms, trend
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

CHOICES_SHOWN = 100
SHOWN = 25
VERSIONS_SHOWN = 10
STATUSES: tuple[DetectorStatus, ...] = get_args(DetectorStatus)
SORTS = ("-updated_at", "updated_at", "name", "-name", "-created_at", "created_at")
SCORE = "threshold"
"""The way of a threshold that is a score, which only a trained detector can have."""


@dataclass(frozen=True, slots=True)
class Line:
    """One detector in the list, with its version in use."""

    detector: Detector
    algorithm: str
    access: Held
    version: int | None
    dataset: str | None


@router.get("/detectors")
def show_all(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    q: str = "",
    status: str = "",
    sort: str = "-updated_at",
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    """List the detectors that one may see, with `q` in their name."""
    wanted = next((one for one in STATUSES if one == status), None)
    order = sort if sort in SORTS else SORTS[0]
    words = q.strip().replace("\x00", "")[:200]
    found, next_cursor = service.list_page(
        session, actor, cursor, SHOWN, order, status=wanted, name=words or None
    )
    return render(
        request,
        "detectors/list.html",
        actor=actor,
        lines=_lines(session, actor, found),
        kept={"q": words, "status": wanted or "", "sort": order},
        statuses=STATUSES,
        cursor=cursor,
        next_cursor=next_cursor,
        done=done,
        api_calls=_list_calls(words, wanted, order),
    )


@router.get("/detectors/{id_}")
def show(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    results: ResultsDep,
    id_: str,
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    """Show one detector; `cursor` names a page of its versions, `done` what was just changed."""
    return detail(request, session, actor, results, id_, cursor=cursor, done=done)


@router.post("/detectors/{id_}/train")
def train(
    request: Request, actor: PageActor, session: SessionDep, results: ResultsDep, form: FormDep, id_: str
) -> Response:
    """Start training a detector on a dataset."""
    chosen = forms.texts(form).get("dataset", "")
    try:
        with session.begin_nested():
            service.start_training(session, actor, id_, chosen)
    except (InputError, Conflict) as problem:
        return detail(request, session, actor, results, id_, problem, training_on=chosen)
    return RedirectResponse(f"/detectors/{id_}", 303)


def detail(
    request: Request,
    session: Session,
    actor: User,
    results: Results,
    id_: str,
    problem: PynomalyError | None = None,
    *,
    cursor: str | None = None,
    **more: Any,
) -> HTMLResponse:
    """Answer with a detector's page, `problem` above it; `more` is what its forms held."""
    detector = service.get(session, actor, id_)
    model = service.model_of(session, detector)
    steps, next_cursor = versions.history(session, actor, id_, cursor, VERSIONS_SHOWN)
    ready, _more = datasets.list_page(session, actor, limit=CHOICES_SHOWN)
    names = dataset_names(session, actor, _trained_on(model, steps))
    over_time = accuracy.points(session, detector, results.judged(session, actor, detector.id))
    shown: dict[str, Any] = {
        "detector": detector,
        "job": detector.job,
        "algorithm": catalogue.get(detector.algorithm),
        "access": held(session, actor, Detector, [detector])[detector.id],
        "model": model,
        "steps": [(one, differences.in_short(one.changes, names)) for one in steps],
        "names": names,
        "datasets": [(one.id, one.name) for one in ready if one.status == "ready"],
        "points": over_time,
        "lines": _trend(over_time),
        "ways": [*forms.ways(None), (SCORE, _("above a score"))],
        "typed": _threshold_typed(detector),
        "typed_alias": "",
        "errors": {},
        "cursor": cursor,
        "next_cursor": next_cursor,
        "done": "",
        "training_on": model.dataset_id if model else "",
    }
    return render(
        request,
        "detectors/detail.html",
        status=problem.status if problem else 422 if more.get("errors") else 200,
        actor=actor,
        error=problem.message if problem else "",
        api_calls=_detector_calls(detector, model, shown["access"], actor),
        **shown | more,
    )


def dataset_names(session: Session, actor: User, ids: Collection[str | None]) -> dict[str, str]:
    """Names of the datasets that the actor may see, by id."""
    wanted = {id_ for id_ in ids if id_ is not None}
    query = visible(actor, Dataset).where(Dataset.id.in_(wanted)).with_only_columns(Dataset.id, Dataset.name)
    return dict(session.execute(query).all()) if wanted else {}


def _trained_on(model: Model | None, steps: list[versions.Step]) -> set[str | None]:
    """The datasets that a page names: of the version in use, of all that are listed, and of their changes."""
    ids = {model.dataset_id if model else None, *(one.version.model.dataset_id for one in steps)}
    changes = [change for one in steps for change in one.changes if change.name == "dataset_id"]
    return ids.union(*((change.before, change.after) for change in changes))


def _threshold_typed(detector: Detector) -> dict[str, str]:
    """Write the present threshold as its form holds it."""
    if detector.threshold is not None:
        return {forms.WAY: SCORE, forms.WAY_VALUE: forms.text(detector.threshold)}
    return forms.threshold_typed(service.ways(detector))


def _lines(session: Session, actor: User, found: list[Detector]) -> list[Line]:
    in_use = {one.model_id for one in found if one.model_id is not None}
    query = select(Model.id, Model.version, Model.dataset_id).where(Model.id.in_(in_use))
    models = {row.id: row for row in session.execute(query)} if in_use else {}
    names = dataset_names(session, actor, {row.dataset_id for row in models.values()})
    access = held(session, actor, Detector, found)
    lines = []
    for one in found:
        model = models.get(one.model_id)
        title = catalogue.get(one.algorithm).title
        version, dataset = (model.version, names.get(model.dataset_id)) if model else (None, None)
        lines.append(Line(one, title, access[one.id], version, dataset))
    return lines


def _trend(points: list[Point]) -> list[trend.Line]:
    """Draw the measures that there are."""
    series = {
        _("Area under the ROC curve"): [point.auc_roc for point in points],
        _("Average precision"): [point.average_precision for point in points],
        _("Confirmed by people"): [point.confirmed_share for point in points],
    }
    lines = []
    for name, values in series.items():
        titles = [
            f"{formats.moment(point.at)}: {name} {formats.number(value, 3)}"
            for point, value in zip(points, values, strict=True)
        ]
        lines.append(trend.line(name, values, titles))
    return lines


def _list_calls(words: str, status: str | None, sort: str) -> list[ApiCall]:
    query = {"name": words, "status": status or "", "sort": sort}
    query = {name: value for name, value in query.items() if value}
    given = ", ".join(f"{name}={value!r}" for name, value in query.items())
    line = f"for detector in client.detectors.list({given}):\n    print(detector.name, detector.status)"
    return [ApiCall(_("List the detectors"), "GET", "/detectors", line, query=query)]


def _detector_calls(detector: Detector, model: Model | None, access: Held, actor: User) -> list[ApiCall]:
    """What a program may do, of what the actor may do."""
    path, id_ = f"/detectors/{detector.id}", detector.id
    dataset = model.dataset_id if model and model.dataset_id else "DATASET"
    calls = [
        ApiCall(_("Look at the detector"), "GET", path, f'detector = client.detectors.get("{id_}")'),
        ApiCall(
            _("List its versions"),
            "GET",
            f"{path}/versions",
            f'for one in client.detectors.versions("{id_}"):\n    print(one.version, one.metrics)',
        ),
    ]
    if access == "own" and actor.may_write:
        calls.append(
            ApiCall(
                _("Train it on a dataset"),
                "POST",
                f"{path}/train",
                f'client.detectors.train("{id_}", "{dataset}")',
                json={"dataset_id": dataset},
            )
        )
    if access != "view" and actor.may_write:
        calls.append(
            ApiCall(
                _("Find anomalies with it"),
                "POST",
                "/detection/detect",
                f'client.detections.detect("{dataset}", "{id_}")',
                json={"dataset_id": dataset, "detector_id": id_},
            )
        )
    return calls
