"""REST routes of detections: start one, list them, look at one, page through its rows, export them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi import Path as ApiPath
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from pynomaly.server.detections import batch, changes, compare, feedback, service
from pynomaly.server.detections.export import Format
from pynomaly.server.detections.filters import Filters
from pynomaly.server.detections.models import Detection, DetectionStatus, Verdict
from pynomaly.server.detections.rows_query import ViewDep
from pynomaly.server.detections.schemas import (
    BatchBody,
    BatchItem,
    BatchStarted,
    CompareAnswer,
    DetectBody,
    DetectionAnswer,
    DetectionList,
    DetectionPatch,
    FeedbackBody,
    FeedbackGiven,
    FeedbackList,
    ResultRowList,
)
from pynomaly.server.detectors.service import told_ways
from pynomaly.server.jobs.answers import API, PREFER, Begun, StarterDep
from pynomaly.server.jobs.schemas import Started
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import (
    Contains,
    Cursor,
    DatabaseDep,
    Limit,
    SessionDep,
    SettingsDep,
    Since,
    StorageDep,
    Until,
    may,
)
from pynomaly.server.web.idempotency import Idempotent
from pynomaly.server.web.tags import IF_MATCH, IF_NONE_MATCH, TagsDep

SENT_AT_ONCE = 256 * 1024

router = APIRouter(prefix="/detection", tags=["detection"], route_class=ApiRoute)
Reader = Annotated[User, may("detections:read")]
Writer = Annotated[User, may("detections:write")]
Id = Annotated[str | None, Query(max_length=36)]
ListSort = Literal[
    "created_at", "-created_at", "n_rows", "-n_rows", "n_anomalies", "-n_anomalies", "seconds", "-seconds"
]


@router.post(
    "/detect",
    status_code=202,
    response_model=Started,
    dependencies=[Idempotent],
    responses={201: {"model": DetectionAnswer, "description": "It was done in the time that was waited."}},
)
async def detect(actor: Writer, starter: StarterDep, body: DetectBody, _prefer: PREFER = None) -> Response:
    """Find the anomalies of a dataset with a detector, or with an algorithm; `id` is the result's."""
    return await starter.run(partial(_start, actor, body), partial(_shown, actor))


def _start(actor: User, body: DetectBody, session: Session) -> Begun:
    given = body.model_dump(exclude_unset=True)
    detection = service.start(session, actor, **given)
    started = Started(id=detection.id, job_id=str(detection.job_id), status=detection.status)
    return Begun(detection.job_id, detection.id, f"/detection/results/{detection.id}", started)


def _shown(actor: User, session: Session, id_: str) -> DetectionAnswer:
    return present(session, service.get(session, actor, id_))


@router.post("/batch", status_code=202, dependencies=[Idempotent])
def detect_many(actor: Writer, session: SessionDep, response: Response, body: BatchBody) -> BatchStarted:
    """Run trained detectors on datasets, each on each, as one job with a child for every pair."""
    started = batch.start(session, actor, **body.model_dump(exclude_unset=True))
    response.headers["Location"] = f"{API}/jobs/{started.job.id}"
    items = [BatchItem.model_validate(pair) for pair in started.pairs]
    return BatchStarted(id=started.job.id, job_id=started.job.id, status=started.job.status, items=items)


@router.get("/compare")
def compare_results(
    actor: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    ids: Annotated[
        str, Query(max_length=400, description="2 to 5 completed results of one dataset, comma-separated.")
    ],
    _fields: Fields = None,
) -> CompareAnswer:
    """Compare results of the same dataset: flagged rows, ranks, parameters, seconds and memory."""
    with database.session(write=False) as session:
        chosen = [id_.strip() for id_ in ids.split(",")]
        found = compare.look_up(session, actor, storage, chosen)
    return CompareAnswer.model_validate(found.run(settings))


@router.get("/results")
def show_all(
    actor: Reader,
    session: SessionDep,
    status: DetectionStatus | None = None,
    dataset_id: Id = None,
    detector_id: Id = None,
    algorithm: Annotated[str | None, Query(max_length=64)] = None,
    batch_id: Id = None,
    since: Since = None,
    until: Until = None,
    name: Contains = None,
    sort: ListSort = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> DetectionList:
    """List results, newest first; `batch_id` is a batch's job, `name` is also sought in datasets' names."""
    filters = Filters(status, dataset_id, detector_id, algorithm, batch_id, since, until, name)
    detections, next_cursor = service.list_page(session, actor, cursor, limit, sort, filters)
    return DetectionList.model_validate({"items": detections, "next_cursor": next_cursor})


@router.get("/results/{id}")
def show(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _if_none_match: IF_NONE_MATCH = None,
    _fields: Fields = None,
) -> DetectionAnswer:
    """Look at one result: how far it is, and its summary once it is completed."""
    return tags.give(present(session, service.get(session, actor, id)))


@router.patch("/results/{id}")
def change(
    actor: Writer,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    body: DetectionPatch,
    _if_match: IF_MATCH = None,
) -> DetectionAnswer:
    """Name a result, or write remarks on it."""
    detection = changes.locked(session, actor, id)
    tags.require(present(session, detection))
    changes.update(session, detection, **body.model_dump(exclude_unset=True))
    return tags.give(present(session, detection))


@router.delete("/results/{id}", status_code=204)
def delete(
    actor: Writer,
    session: SessionDep,
    storage: StorageDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _if_match: IF_MATCH = None,
) -> None:
    """Delete a result with its files and feedback; 409 while its job is not done."""
    detection = changes.locked(session, actor, id)
    tags.require(present(session, detection))
    changes.delete(session, actor, storage, detection)


@router.get("/results/{id}/rows")
def show_rows(
    actor: Reader,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
    view: ViewDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> ResultRowList:
    """Page through the rows with values, scores and reasons; by default all, the most anomalous first."""
    rows, next_cursor = service.rows(session, actor, storage, id, view, limit, cursor)
    return ResultRowList.model_validate({"items": rows, "next_cursor": next_cursor})


@router.get("/results/{id}/export", response_class=StreamingResponse)
def export(
    actor: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    id: str,  # noqa: A002
    view: ViewDep,
    form: Annotated[Format, Query(alias="format")] = "csv",
) -> StreamingResponse:
    """Download the rows with values, scores and reasons; by default all, the most anomalous first."""
    with database.session(write=False) as session:
        found = service.export(session, actor, storage, id, form, view)
    path = found.write(storage, settings)
    headers = {
        "Content-Length": str(path.stat().st_size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.filename)}",
    }
    return StreamingResponse(_chunks(path), media_type=found.media_type, headers=headers)


def _chunks(path: Path) -> Iterator[bytes]:
    """Stream a file that is deleted at once: it stays readable until it is sent, or its reader is gone."""
    with path.open("rb") as file:
        path.unlink()
        while chunk := file.read(SENT_AT_ONCE):
            yield chunk


@router.get("/results/{id}/feedback")
def show_feedback(
    actor: Reader,
    session: SessionDep,
    id: str,  # noqa: A002
    verdict: Verdict | None = None,
    sort: Literal["row", "-row", "updated_at", "-updated_at"] = "row",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> FeedbackList:
    """List what people said of a result's rows."""
    page = feedback.list_page(session, actor, id, verdict, sort, cursor, limit)
    return FeedbackList.model_validate({"items": page.items, "next_cursor": page.next_cursor})


@router.post("/results/{id}/feedback", dependencies=[Idempotent])
def give_feedback(
    actor: Writer,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
    body: FeedbackBody,
) -> FeedbackGiven:
    """Say of up to 1,000 rows whether they are anomalies; it replaces what one said of them before."""
    said = [feedback.Said(**one.model_dump()) for one in body.items]
    return FeedbackGiven.model_validate({"items": feedback.give(session, actor, storage, id, said)})


@router.delete("/results/{id}/feedback/{row}", status_code=204)
def take_feedback_back(
    actor: Writer,
    session: SessionDep,
    id: str,  # noqa: A002
    row: Annotated[int, ApiPath(ge=0, lt=2**53)],
) -> None:
    """Take back one's own verdict on a row."""
    feedback.take_back(session, actor, id, row)


def present(session: Session, detection: Detection) -> DetectionAnswer:
    """Give all that is known of one detection."""
    names = DetectionAnswer.model_fields.keys() - {"feedback"}
    fields = {name: getattr(detection, name) for name in names}
    counts = feedback.counts(session, detection)
    return DetectionAnswer.model_validate(fields | told_ways(detection) | {"feedback": counts})
