"""The pages of triage: the inbox, and one anomaly at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.detection import catalogue
from pynomaly.errors import BadValue, InputError, NotFound
from pynomaly.server.detections import choices, feedback, triage
from pynomaly.server.detections.filters import Filters
from pynomaly.server.detections.models import Detection, Verdict
from pynomaly.server.detections.result import ResultRow
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web import formats, forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import Cursor, PageActor, SessionDep, StorageDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

CELLS_SHOWN = 24
"""Columns that are shown at once; the others are folded up."""
LARGEST_ROW = 2**53 - 1
RowNumber = Annotated[int | None, Query(ge=0, le=LARGEST_ROW)]


@dataclass(frozen=True)
class Line:
    """A result in the inbox."""

    id: str
    name: str
    dataset_name: str
    algorithm: str
    detector_name: str
    judged: int
    total: int
    detection: Detection


@dataclass(frozen=True)
class Cell:
    """A column of a row beside the nearest normal row's: `how` they differ, "" when there is no other."""

    name: str
    value: Any
    other: Any
    how: Literal["", "same", "other"]
    by: str
    is_reason: bool


@dataclass(frozen=True)
class Bar:
    """A reason in words, with the length of its bar in percent of the strongest one's."""

    text: str
    share: float


@router.get("/triage")
def show_inbox(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    dataset: str = "",
    detector: str = "",
    show: str = "",
    detection: str = "",
    cursor: Cursor = None,
) -> Response:
    """List the results with anomalies that nobody has judged."""
    if detection:
        return RedirectResponse(f"/triage/{triage.get(session, actor, detection).id}", 303)
    filters = Filters(dataset_id=dataset or None, detector_id=detector or None)
    found, next_cursor = triage.inbox(session, actor, filters, everything=show == "all", cursor=cursor)
    chosen = {"dataset": dataset, "detector": detector, "show": show}
    query = {"status": "completed"} | {f"{k}_id": v for k, v in chosen.items() if v and k != "show"}
    words = "".join(f", {k}={v!r}" for k, v in chosen.items() if v and k != "show")
    call = (
        f'for result in client.detections.list(status="completed"{words}):\n'
        "    print(result.id, result.n_anomalies)"
    )
    return render(
        request,
        "triage/inbox.html",
        actor=actor,
        lines=[_line(one) for one in found],
        chosen=chosen,
        datasets=choices.of_datasets(session, actor, dataset),
        detectors=choices.of_detectors(session, actor, detector),
        cursor=cursor,
        further=_address("/triage", {**chosen, "cursor": next_cursor or ""}) if next_cursor else "",
        first=_address("/triage", chosen),
        api_calls=[ApiCall(_("List results"), "GET", "/detection/results", call, query=query)],
    )


@router.get("/triage/{id_}")
def show(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    id_: str,
    row: RowNumber = None,
    done: RowNumber = None,
    was: str = "",
) -> Response:
    """Show one anomaly; without `row`, lead to the first that nobody judged, or sum up when there is none."""
    detection = triage.get(session, actor, id_)
    if row is not None:
        return _case(request, session, actor, storage, _Asked(detection, row, done=done, was=_verdict(was)))
    open_row = triage.first_open(session, storage, detection)
    if open_row is not None:
        return RedirectResponse(_row_address(id_, open_row), 303)
    return render(
        request,
        "triage/done.html",
        actor=actor,
        detection=detection,
        dataset=detection.dataset,
        algorithm=catalogue.get(detection.algorithm),
        tally=triage.tally(session, detection),
        first=triage.row_of_rank(storage, detection, 1) if detection.n_anomalies else None,
        last=triage.last(session, actor, detection),
        api_calls=_calls(detection, None),
    )


@router.post("/triage/{id_}")
def judge(
    request: Request, actor: PageActor, session: SessionDep, storage: StorageDep, id_: str, form: FormDep
) -> Response:
    """Keep a verdict and lead to the next row that nobody judged, or say what is wrong."""
    typed = forms.texts(form)
    row, verdict, note = _row(typed), _verdict(typed.get("verdict", "")), typed.get("note", "")
    wrong = "" if verdict else _("Choose a verdict: anomaly, normal or unsure.")
    if verdict:
        said = feedback.Said(row, verdict, note.replace("\r\n", "\n").strip())
        try:
            with session.begin_nested():
                judged = triage.judge(session, actor, storage, id_, said)
        except InputError as problem:
            wrong = problem.message
        else:
            replaced = {"was": judged.was} if judged.was not in (None, verdict) else {}
            told = {"done": row} | replaced
            if judged.following is None:
                return RedirectResponse(f"/triage/{id_}", 303)
            return RedirectResponse(_row_address(id_, judged.following, told), 303)
    detection = triage.get(session, actor, id_)
    return _case(request, session, actor, storage, _Asked(detection, row, note=note, wrong=wrong))


@router.post("/triage/{id_}/undo")
def undo(actor: PageActor, session: SessionDep, storage: StorageDep, id_: str, form: FormDep) -> Response:
    """Take one's own verdict on a row back, and show that row."""
    typed = forms.texts(form)
    row = _row(typed)
    try:
        triage.undo(session, actor, storage, id_, row, _verdict(typed.get("was", "")))
    except NotFound:
        triage.get(session, actor, id_)  # it is there, so the verdict is gone: another tab was quicker
    return RedirectResponse(_row_address(id_, row), 303)


@dataclass(frozen=True)
class _Asked:
    """What to show: a row, with what just happened or with what is wrong."""

    detection: Detection
    row: int
    done: int | None = None
    was: Verdict | None = None
    note: str | None = None
    wrong: str = ""


def _case(
    request: Request, session: Session, actor: User, storage: LocalStorage, asked: _Asked
) -> HTMLResponse:
    detection = asked.detection
    case = triage.case(session, actor, storage, detection, asked.row)
    cells = _cells(case.row)
    told = triage.own(session, actor, detection, asked.done) if asked.done is not None else None
    return render(
        request,
        "triage/case.html",
        status=422 if asked.wrong else 200,
        actor=actor,
        detection=detection,
        dataset=detection.dataset,
        algorithm=catalogue.get(detection.algorithm),
        row=case.row,
        flagged=case.row.rank <= (detection.n_anomalies or 0),
        bars=_bars(case.row),
        cells=cells[:CELLS_SHOWN],
        folded=cells[CELLS_SHOWN:],
        nearest=case.row.nearest_normal,
        case=case,
        tally=triage.tally(session, detection),
        told=told,
        was=asked.was,
        note=asked.note if asked.note is not None else case.own.note if case.own else "",
        wrong=asked.wrong,
        api_calls=_calls(detection, asked.row),
    )


def _line(one: triage.Waiting) -> Line:
    detection = one.detection
    return Line(
        id=detection.id,
        name=detection.name,
        dataset_name=detection.dataset.name,
        algorithm=catalogue.get(detection.algorithm).title,
        detector_name=detection.detector.name if detection.detector else "",
        judged=one.judged,
        total=one.total,
        detection=detection,
    )


def _address(path: str, query: Mapping[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value not in ("", None)}
    return f"{path}?{urlencode(given)}" if given else path


def _row_address(id_: str, row: int, told: Mapping[str, Any] | None = None) -> str:
    return _address(f"/triage/{id_}", {"row": row, **(told or {})})


def _row(typed: Mapping[str, str]) -> int:
    """The row that a form is about; a page of ours always names one."""
    written = typed.get("row", "")
    if not (written.isascii() and written.isdecimal() and int(written[:20]) <= LARGEST_ROW):
        raise BadValue("row is the number of a row.", pointer="#/row")
    return int(written)


def _verdict(written: str) -> Verdict | None:
    return cast("Verdict", written) if written in get_args(Verdict) else None


def _bars(row: ResultRow) -> list[Bar]:
    strongest = max((reason["contribution"] for reason in row.reasons), default=0) or 1
    return [
        Bar(reason["text"], round(max(0, reason["contribution"]) / strongest * 100, 1))
        for reason in row.reasons
    ]


def _cells(row: ResultRow) -> list[Cell]:
    """Lay a row beside the nearest normal one: columns that are reasons first, by their weight."""
    weights = {reason["column"]: reason["contribution"] for reason in row.reasons}
    near = (row.nearest_normal or {}).get("values", {})
    cells = [
        _cell(name, value, near[name], name in weights)
        if name in near
        else Cell(name, value, None, "", "", name in weights)
        for name, value in row.values.items()
    ]
    return sorted(cells, key=lambda cell: -weights.get(cell.name, -1))


def _cell(name: str, value: Any, other: Any, is_reason: bool) -> Cell:
    if value == other:
        return Cell(name, value, other, "same", "", is_reason)
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (value, other))
    by = ""
    if numbers:
        apart = value - other
        by = ("+" if apart > 0 else "\N{MINUS SIGN}") + formats.number(abs(apart), 3)
    return Cell(name, value, other, "other", by, is_reason)


def _calls(detection: Detection, row: int | None) -> list[ApiCall]:
    path, id_ = f"/detection/results/{detection.id}", detection.id
    rows = f'most_unusual = next(iter(client.detections.rows("{id_}")))'
    calls = [
        ApiCall(_("Read the rows, the most unusual first"), "GET", f"{path}/rows", rows),
        ApiCall(
            _("Read the verdicts"),
            "GET",
            f"{path}/feedback",
            f'verdicts = list(client.detections.all_feedback("{id_}"))',
        ),
    ]
    if row is None:
        return calls
    item = {"row": row, "verdict": "anomaly", "note": ""}
    give = f'client.detections.feedback("{id_}", {{{row}: "anomaly"}})'
    back = f'client.detections.delete_feedback("{id_}", {row})'
    return [
        *calls,
        ApiCall(_("Give a verdict"), "POST", f"{path}/feedback", give, json={"items": [item]}),
        ApiCall(_("Take it back"), "DELETE", f"{path}/feedback/{row}", back),
    ]
