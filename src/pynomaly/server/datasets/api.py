"""REST routes of datasets: upload one, list them, look at one, page through its rows."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from pynomaly.server.datasets import service
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.schemas import DatasetAnswer, DatasetLine, DatasetList, RowList
from pynomaly.server.datasets.upload import Upload, received
from pynomaly.server.jobs.answers import PREFER, Begun, StarterDep
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.deps import AllowUpload, Cursor, Limit, SessionDep, StorageDep, may

router = APIRouter(prefix="/datasets", tags=["datasets"], route_class=ApiRoute)
Reader = Annotated[User, may("datasets:read")]
Writer = Annotated[User, may("datasets:write")]

_TEXT = {"type": "string"}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
        "name": _TEXT,
        "label_column": _TEXT,
    },
}
UPLOAD_BODY = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}


@router.post(
    "/upload",
    status_code=202,
    response_model=DatasetLine,
    responses={201: {"model": DatasetAnswer, "description": "It was read in the time that was waited."}},
    dependencies=[AllowUpload],
    openapi_extra=UPLOAD_BODY,
)
async def upload(
    request: Request, actor: Writer, storage: StorageDep, starter: StarterDep, _prefer: PREFER = None
) -> Response:
    """Upload a table (CSV, TSV, Parquet, JSON, NDJSON, Excel; also in gzip or zstd) to be read and profiled.

    `label_column` names a column of known anomalies (0/1): not used to find any, only to measure results.
    """
    async with received(request, storage) as file:
        return await starter.run(partial(_create, actor, storage, file), partial(_shown, actor))


def _create(actor: User, storage: LocalStorage, file: Upload, session: Session) -> Begun:
    dataset = service.create(session, actor, storage, file.path, file.filename, **file.fields)
    line = DatasetLine.model_validate(dataset)
    return Begun(dataset.job_id, dataset.id, f"/datasets/{dataset.id}", line)


def _shown(actor: User, session: Session, id_: str) -> DatasetAnswer:
    return present(service.get(session, actor, id_))


@router.get("")
def show_all(actor: Reader, session: SessionDep, limit: Limit = 50, cursor: Cursor = None) -> DatasetList:
    """List datasets, newest first."""
    datasets, next_cursor = service.list_page(session, actor, cursor, limit)
    return DatasetList.model_validate({"items": datasets, "next_cursor": next_cursor})


@router.get("/{id}")
def show(actor: Reader, session: SessionDep, id: str) -> DatasetAnswer:  # noqa: A002
    """Look at one dataset: its columns, what was measured of them, and what could not be read."""
    return present(service.get(session, actor, id))


@router.get("/{id}/rows")
def show_rows(
    actor: Reader,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RowList:
    """Page through the rows, in file order."""
    rows, next_cursor = service.rows(session, actor, storage, id, cursor, limit)
    return RowList.model_validate({"items": rows, "next_cursor": next_cursor})


def present(dataset: Dataset) -> DatasetAnswer:
    """Put the columns' measurements beside their types (there are none before the file is read)."""
    line = DatasetLine.model_validate(dataset).model_dump()
    columns = dataset.profile or dataset.columns
    return DatasetAnswer(**line, dialect=dataset.dialect, columns=columns, rejects=dataset.rejects)
