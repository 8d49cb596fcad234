"""The pages of datasets: list, upload, profile with rejected cells, rows."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pynomaly.errors import InputError, PynomalyError, UsageError
from pynomaly.server.datasets import service
from pynomaly.server.datasets.upload import Upload, received
from pynomaly.server.db import Database
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web import profile
from pynomaly.server.web.deps import (
    AllowUpload,
    DatabaseDep,
    PageActor,
    SessionDep,
    SettingsDep,
    StorageDep,
)
from pynomaly.server.web.render import render
from pynomaly.settings import Settings

router = APIRouter(include_in_schema=False)

FIELDS = ("name", "label_column")
DIALECT = {"format": "Format", "delimiter": "Delimiter", "decimal": "Decimal mark", "encoding": "Encoding"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank", ".": "point"}


@router.get("/datasets")
def show_all(
    request: Request, actor: PageActor, session: SessionDep, cursor: str | None = None
) -> HTMLResponse:
    """List the datasets, newest first."""
    datasets, next_cursor = service.list_page(session, actor, cursor)
    return render(
        request,
        "datasets/list.html",
        actor=actor,
        datasets=datasets,
        cursor=cursor,
        next_cursor=next_cursor,
    )


@router.get("/datasets/new")
def ask(request: Request, actor: PageActor, settings: SettingsDep) -> HTMLResponse:
    """Show the upload form."""
    return _form(request, actor, settings)


@router.post("/datasets/new", dependencies=[AllowUpload])
async def upload(
    request: Request, actor: PageActor, storage: StorageDep, database: DatabaseDep, settings: SettingsDep
) -> Response:
    """Take a file in and show its dataset, or show the form again with what is wrong."""
    fields: dict[str, str] = {}
    try:
        async with received(request, storage, FIELDS) as file:
            fields = file.fields
            created = await run_in_threadpool(_create, database, actor, storage, file)
    except (InputError, UsageError) as problem:
        return _form(request, actor, settings, fields, problem)
    return RedirectResponse(f"/datasets/{created}", 303)


@router.get("/datasets/{id_}")
def show(request: Request, actor: PageActor, session: SessionDep, id_: str) -> HTMLResponse:
    """Show one dataset: its profile, or how far it is read, or why it could not be."""
    dataset = service.get(session, actor, id_)
    return render(
        request,
        "datasets/detail.html",
        actor=actor,
        dataset=dataset,
        job=dataset.job,
        profile=profile.view(dataset.profile or dataset.columns, dataset.n_rows or 0, dataset.label_column),
        rejects=dataset.rejects or [],
        dialect=_dialect(dataset.dialect or {}),
    )


@router.get("/datasets/{id_}/rows")
def show_rows(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    id_: str,
    cursor: str | None = None,
) -> HTMLResponse:
    """Show a page of rows in file order."""
    dataset = service.get_ready(session, actor, id_)
    rows, next_cursor = service.rows(session, actor, storage, id_, cursor)
    return render(
        request,
        "datasets/rows.html",
        actor=actor,
        dataset=dataset,
        rows=rows,
        cursor=cursor,
        next_cursor=next_cursor,
    )


def _form(
    request: Request,
    actor: User,
    settings: Settings,
    typed: Mapping[str, str] | None = None,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    fields: dict[str, Any] = {name: (typed or {}).get(name, "") for name in FIELDS}
    return render(
        request,
        "datasets/new.html",
        status=problem.status if problem else 200,
        actor=actor,
        error=problem.message if problem else "",
        max_upload_mib=settings.max_upload_mib,
        **fields,
    )


def _create(database: Database, actor: User, storage: LocalStorage, file: Upload) -> str:
    """Make the dataset in a transaction of its own: the long upload before it held none."""
    name, label_column = (file.fields.get(field, "").strip() or None for field in FIELDS)
    with database.session() as session:
        return service.create(session, actor, storage, file.path, file.filename, name, label_column).id


def _dialect(dialect: dict[str, Any]) -> list[tuple[str, str]]:
    """Name what was recognised in the file, in words."""
    found = [(title, dialect.get(key)) for key, title in DIALECT.items()]
    return [(title, DELIMITERS.get(item, str(item))) for title, item in found if item]
