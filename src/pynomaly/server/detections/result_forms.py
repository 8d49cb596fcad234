"""What the forms on the page of a result do: move the threshold, keep notes, give verdicts."""

from typing import cast, get_args
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import QueryParams

from pynomaly.errors import BadValue, Conflict, InputError, PynomalyError
from pynomaly.server.detections import changes, feedback, look, pages, service, threshold
from pynomaly.server.detections.models import Verdict
from pynomaly.server.detectors import cuts
from pynomaly.server.web import forms
from pynomaly.server.web.deps import DatabaseDep, PageActor, SessionDep, SettingsDep, StorageDep
from pynomaly.server.web.forms import FormDep

router = APIRouter(include_in_schema=False)


@router.post("/detections/{id_}/threshold")
def move(
    request: Request, actor: PageActor, session: SessionDep, storage: StorageDep, form: FormDep, id_: str
) -> Response:
    """Move the threshold, or put it back, and show the page as it was."""
    typed = forms.texts(form)
    back = _state(typed)
    try:
        with session.begin_nested():
            detection = changes.locked(session, actor, id_)
            if typed.get("do") == "reset":
                threshold.reset(session, actor, storage, detection)
            else:
                wanted = look.read(QueryParams(typed))
                threshold.move(
                    session,
                    actor,
                    storage,
                    detection,
                    threshold=wanted.threshold,
                    max_alerts=wanted.max_alerts,
                )
    except (InputError, Conflict) as problem:
        return pages.page(request, session, storage, actor, id_, given=back, typed=typed, problem=problem)
    return _to(id_, back.but(threshold=None, max_alerts=None), "#scores")


@router.post("/detections/{id_}/detector-threshold")
def move_detectors(
    actor: PageActor,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    form: FormDep,
    id_: str,
) -> Response:
    """Give the detector the threshold of this result, for what it finds from now on."""
    with database.session(write=False) as session:
        detection = service.completed(session, actor, id_)
        if detection.detector_id is None:
            raise BadValue("This result is of no detector.")
        wanted = cuts.ask(session, actor, storage, detection.detector_id, {"threshold": detection.threshold})
        if wanted.model_id != detection.model_id:
            raise Conflict("The detector uses another version by now: its scores are others.")
        detector_id = detection.detector_id
    cut = wanted.find(settings)
    with database.session() as session:
        cuts.move(session, actor, detector_id, cut)
    return _to(id_, _state(forms.texts(form)), "#scores")


@router.post("/detections/{id_}/notes")
def write_notes(
    request: Request, actor: PageActor, session: SessionDep, storage: StorageDep, form: FormDep, id_: str
) -> Response:
    """Name the result and write remarks on it."""
    typed = forms.texts(form)
    try:
        with session.begin_nested():
            detection = changes.locked(session, actor, id_)
            changes.update(session, detection, name=typed.get("name", ""), remarks=typed.get("remarks", ""))
    except InputError as problem:
        back = _state(typed)
        return pages.page(request, session, storage, actor, id_, given=back, typed=typed, problem=problem)
    return _to(id_, _state(typed), "#notes")


@router.post("/detections/{id_}/verdict")
def judge(
    request: Request, actor: PageActor, session: SessionDep, storage: StorageDep, form: FormDep, id_: str
) -> Response:
    """Keep the actor's verdict on a row, or take it back when it is the same again."""
    typed = forms.texts(form)
    back = _state(typed)
    try:
        row, verdict = _row(typed), typed.get("verdict", "")
        with session.begin_nested():
            if verdict == "":
                feedback.take_back(session, actor, id_, row)
            elif verdict in get_args(Verdict):
                feedback.give(session, actor, storage, id_, [feedback.Said(row, cast(Verdict, verdict))])
            else:
                raise BadValue("A verdict is anomaly, normal or unsure.")
    except PynomalyError as problem:
        if problem.status == 403:
            raise
        return pages.page(request, session, storage, actor, id_, given=back, problem=problem)
    return _to(id_, back, f"#row-{row}")


def _row(typed: dict[str, str]) -> int:
    written = typed.get("row", "")
    if not (written.isascii() and written.isdigit() and len(written) < 17):
        raise BadValue("There is no such row.")
    return int(written)


def _state(typed: dict[str, str]) -> look.Look:
    """What the page showed; as at first when that makes no sense."""
    try:
        return look.read(QueryParams(parse_qsl(typed.get("back", ""), max_num_fields=100)))
    except (InputError, ValueError):
        return look.Look()


def _to(id_: str, state: look.Look, place: str) -> RedirectResponse:
    return RedirectResponse(f"/detections/{id_}{state.to()}{place}".replace("?#", "#"), 303)
