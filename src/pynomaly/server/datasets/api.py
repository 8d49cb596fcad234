"""REST routes of datasets: upload, list, look at, change, delete, share, page through, download."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

from pynomaly.server.datasets import changes, files, quality, service
from pynomaly.server.datasets.checks import parse_choice, parse_types
from pynomaly.server.datasets.dependents import Cascade, ResultsDep
from pynomaly.server.datasets.models import Dataset, DatasetStatus
from pynomaly.server.datasets.results import Results
from pynomaly.server.datasets.schemas import (
    DatasetAnswer,
    DatasetLine,
    DatasetList,
    DatasetPatch,
    ProfileAnswer,
    QualityAnswer,
    RowList,
)
from pynomaly.server.datasets.upload import Upload, received
from pynomaly.server.jobs.answers import PREFER, Begun, StarterDep
from pynomaly.server.sharing.api import shares_of
from pynomaly.server.sharing.service import Held, held
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web import downloads
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import (
    AllowUpload,
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
from pynomaly.server.web.tags import IF_MATCH, IF_NONE_MATCH, Tags, TagsDep

router = APIRouter(prefix="/datasets", tags=["datasets"], route_class=ApiRoute)
Reader = Annotated[User, may("datasets:read")]
Writer = Annotated[User, may("datasets:write")]
Sort = Literal[
    "created_at", "-created_at", "name", "-name", "n_rows", "-n_rows", "n_columns", "-n_columns",
    "size_bytes", "-size_bytes",
]  # fmt: skip
FileForm = Literal["original", "csv", "parquet"]

_TEXT = {"type": "string"}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
        "name": _TEXT,
        "label_column": _TEXT,
        "types": _TEXT | {"description": 'JSON: types to read columns as, such as {"postcode": "category"}.'},
        "dialect": _TEXT
        | {"description": 'JSON: how it is written, such as {"delimiter": ";", "header": true}.'},
        "preview": _TEXT | {"description": "`true`: only look at it, until `/import` says how to read it."},
    },
}
UPLOAD_BODY = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}


@router.post(
    "/upload",
    status_code=202,
    response_model=DatasetLine,
    responses={201: {"model": DatasetAnswer, "description": "It was read in the time that was waited."}},
    dependencies=[AllowUpload, Idempotent],
    openapi_extra=UPLOAD_BODY,
)
async def upload(
    request: Request, actor: Writer, storage: StorageDep, starter: StarterDep, _prefer: PREFER = None
) -> Response:
    """Upload a table (CSV, TSV, Parquet, JSON, NDJSON, Excel; also in gzip or zstd) to be read and profiled.

    `label_column` names a column of known anomalies (0/1): not used to find any, only to measure results.
    """
    async with received(request, storage) as file:
        return await starter.run(partial(_create, actor, storage, file), partial(shown, actor))


def _create(actor: User, storage: LocalStorage, file: Upload, session: Session) -> Begun:
    fields = dict(file.fields)
    types = parse_types(fields.pop("types")) if "types" in fields else None
    choice = parse_choice(fields.pop("dialect")) if "dialect" in fields else None
    preview = fields.pop("preview", "").strip().lower() in ("true", "1", "yes", "on")
    dataset = service.create(
        session,
        actor,
        storage,
        file.path,
        file.filename,
        types=types,
        choice=choice,
        preview=preview,
        **fields,
    )
    return Begun(dataset.job_id, dataset.id, f"/datasets/{dataset.id}", line_of(dataset, "own"))


def shown(actor: User, session: Session, id_: str) -> DatasetAnswer:
    """Look a dataset up and present it."""
    return present(session, actor, service.get(session, actor, id_))


@router.get("")
def show_all(
    actor: Reader,
    session: SessionDep,
    status: DatasetStatus | None = None,
    name: Contains = None,
    since: Since = None,
    until: Until = None,
    sort: Sort = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> DatasetList:
    """List datasets, one's own and those shared, newest first."""
    datasets, next_cursor = service.list_page(
        session, actor, cursor, limit, sort, status=status, name=name, since=since, until=until
    )
    access = held(session, actor, Dataset, datasets)
    items = [line_of(dataset, access[dataset.id]) for dataset in datasets]
    return DatasetList(items=items, next_cursor=next_cursor)


@router.get("/{id}")
def show(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> DatasetAnswer:
    """Look at one dataset: its columns, what was measured of them, and what could not be read."""
    return tags.give(shown(actor, session, id))


@router.patch(
    "/{id}",
    response_model=DatasetAnswer,
    responses={202: {"model": DatasetLine, "description": "The file is being read again, with other types."}},
)
async def change(
    actor: Writer,
    session: SessionDep,
    storage: StorageDep,
    results: ResultsDep,
    starter: StarterDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    body: DatasetPatch,
    cascade: Cascade = False,
    _if_match: IF_MATCH = None,
    _prefer: PREFER = None,
) -> Response | DatasetAnswer:
    """Change name, description, label column or column types; other types make the file be read again."""
    alter = partial(_change, actor, storage, results, tags, id, body, cascade)
    if "types" not in body.model_fields_set:
        await run_in_threadpool(alter, session)
        return tags.give(await run_in_threadpool(shown, actor, session, id))
    return await starter.run(alter, partial(shown, actor), done=200)


def _change(
    actor: User,
    storage: LocalStorage,
    results: Results,
    tags: Tags,
    id_: str,
    body: DatasetPatch,
    cascade: bool,
    session: Session,
) -> Begun:
    tags.require(present(session, actor, service.get(session, actor, id_, need="own", lock=True)))
    given = body.model_dump(exclude_unset=True)
    dataset = changes.update(session, actor, storage, results, id_, cascade=cascade, **given)
    if dataset.status == "processing":
        return Begun(dataset.job_id, id_, f"/datasets/{id_}", line_of(dataset, "own"))
    return Begun(None, id_, f"/datasets/{id_}", shown(actor, session, id_))


@router.delete("/{id}", status_code=204)
def delete(
    actor: Writer,
    session: SessionDep,
    storage: StorageDep,
    results: ResultsDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    cascade: Cascade = False,
    _if_match: IF_MATCH = None,
) -> None:
    """Delete a dataset with its files; 409 while results depend on it, unless they are to go, too."""
    tags.require(present(session, actor, service.get(session, actor, id, need="own", lock=True)))
    changes.delete(session, actor, storage, results, id, cascade=cascade)


@router.get("/{id}/profile")
def show_profile(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> ProfileAnswer:
    """See what was measured of each column: missing, distinct, range, quantiles, histogram, top values."""
    dataset = service.get_ready(session, actor, id, "view")
    return tags.give(ProfileAnswer.model_validate(_facts(dataset) | {"columns": dataset.profile}))


@router.get("/{id}/quality")
def show_quality(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> QualityAnswer:
    """See what deserves a look before results are trusted, most severe first."""
    dataset = service.get_ready(session, actor, id, "view")
    found = quality.assess(
        dataset.profile, dataset.rejects, dataset.n_rows or 0, dataset.n_duplicates, dataset.label_column
    )
    told = {"completeness": found.completeness, "findings": found.findings}
    return tags.give(QualityAnswer.model_validate(_facts(dataset) | told))


def _facts(dataset: Dataset) -> dict[str, int | str | None]:
    return {
        "id": dataset.id,
        "n_rows": dataset.n_rows,
        "n_columns": dataset.n_columns,
        "n_rejected": dataset.n_rejected,
        "n_duplicates": dataset.n_duplicates,
    }


@router.get("/{id}/rows")
def show_rows(
    actor: Reader,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> RowList:
    """Page through the rows, in file order."""
    rows, next_cursor = service.rows(session, actor, storage, id, cursor, limit)
    return RowList.model_validate({"items": rows, "next_cursor": next_cursor})


@router.get(
    "/{id}/download",
    response_class=FileResponse,
    responses=downloads.answers(*sorted({*files.UPLOADED.values(), "application/octet-stream"})),
)
def download(
    request: Request,
    actor: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    id: str,  # noqa: A002
    form: Annotated[FileForm, Query(alias="format")] = "original",
) -> Response:
    """Download the uploaded file, byte for byte and in parts (`Range`), or the table as CSV or Parquet.

    In CSV, text that a spreadsheet would run as a formula has an apostrophe in front.
    """
    if form == "original":
        with database.session(write=False) as session:
            kept = files.original(session, actor, storage, id)
        return downloads.stored(request, kept.path, kept.filename, kept.media_type)
    with database.session(write=False) as session:
        found = files.export(session, actor, storage, id, form)
    return downloads.made(found.write(storage, settings), found.filename, found.media_type)


def present(session: Session, actor: User, dataset: Dataset) -> DatasetAnswer:
    """Put the columns' measurements beside their types (there are none before the file is read)."""
    line = line_of(dataset, held(session, actor, Dataset, [dataset])[dataset.id]).model_dump()
    more = {
        "dialect": dataset.dialect,
        "types": dataset.types,
        "chosen_dialect": dataset.choice,
        "rejects": dataset.rejects,
    }
    return DatasetAnswer.model_validate(line | more | {"columns": dataset.profile or dataset.columns})


def line_of(dataset: Dataset, access: Held) -> DatasetLine:
    """Present a dataset as one of a list."""
    fields = {name: getattr(dataset, name) for name in DatasetLine.model_fields if name != "access"}
    return DatasetLine(**fields, access=access)


router.include_router(shares_of(Dataset, "datasets:read", "datasets:write"))
