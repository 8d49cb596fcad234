"""REST routes of detections: start one, list them, look at one, page through its rows, export them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from pynomaly.server.detections import batch, compare, service
from pynomaly.server.detections.export import Format
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.result import Sort
from pynomaly.server.detections.schemas import (
    BatchBody,
    BatchItem,
    BatchStarted,
    CompareAnswer,
    DetectBody,
    DetectionAnswer,
    DetectionList,
    ResultRowList,
)
from pynomaly.server.detectors.service import ways
from pynomaly.server.jobs.answers import API, PREFER, Begun, StarterDep
from pynomaly.server.jobs.schemas import Started
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import Cursor, DatabaseDep, Limit, SessionDep, SettingsDep, StorageDep, may
from pynomaly.server.web.idempotency import Idempotent

SENT_AT_ONCE = 256 * 1024

router = APIRouter(prefix="/detection", tags=["detection"], route_class=ApiRoute)
Reader = Annotated[User, may("detections:read")]
Writer = Annotated[User, may("detections:write")]


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
    return present(service.get(session, actor, id_))


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
def show_all(actor: Reader, session: SessionDep, limit: Limit = 50, cursor: Cursor = None) -> DetectionList:
    """List results, newest first."""
    detections, next_cursor = service.list_page(session, actor, cursor, limit)
    return DetectionList.model_validate({"items": detections, "next_cursor": next_cursor})


@router.get("/results/{id}")
def show(actor: Reader, session: SessionDep, id: str) -> DetectionAnswer:  # noqa: A002
    """Look at one result: how far it is, and its summary once it is completed."""
    return present(service.get(session, actor, id))


@router.get("/results/{id}/rows")
def show_rows(
    actor: Reader,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
    sort: Sort = "-score",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ResultRowList:
    """Page through the rows with values, scores and reasons; by default the most anomalous first."""
    rows, next_cursor = service.rows(session, actor, storage, id, sort, limit, cursor)
    return ResultRowList.model_validate({"items": rows, "next_cursor": next_cursor})


@router.get("/results/{id}/export", response_class=StreamingResponse)
def export(
    actor: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    id: str,  # noqa: A002
    form: Annotated[Format, Query(alias="format")] = "csv",
) -> StreamingResponse:
    """Download all rows, by rank, with values, scores and reasons."""
    with database.session(write=False) as session:
        found = service.export(session, actor, storage, id, form)
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


def present(detection: Detection) -> DetectionAnswer:
    """Give all that is known of one detection."""
    fields = {name: getattr(detection, name) for name in DetectionAnswer.model_fields}
    return DetectionAnswer.model_validate(fields | ways(detection))
