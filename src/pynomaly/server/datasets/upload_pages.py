"""The pages of uploads: the form, which works without scripts, and what is not finished yet."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pynomaly.errors import InputError, PynomalyError, UsageError
from pynomaly.server.datasets import service, uploads
from pynomaly.server.datasets.upload import Upload, received
from pynomaly.server.db import Database
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import (
    AllowUpload,
    DatabaseDep,
    PageActor,
    SessionDep,
    SettingsDep,
    StorageDep,
)
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render
from pynomaly.settings import MIB, Settings

router = APIRouter(include_in_schema=False)

FIELDS = ("name", "label_column", "preview")


@router.get("/datasets/new")
def ask(request: Request, actor: PageActor, database: DatabaseDep, settings: SettingsDep) -> HTMLResponse:
    """Show the upload form, and the uploads that are not finished."""
    return _form(request, actor, database, settings)


@router.post("/datasets/new", dependencies=[AllowUpload])
async def upload(
    request: Request, actor: PageActor, storage: StorageDep, database: DatabaseDep, settings: SettingsDep
) -> Response:
    """Take a file in and show its dataset, or what it looks like; or the form again with what is wrong."""
    fields: dict[str, str] = {}
    try:
        async with received(request, storage, FIELDS) as file:
            fields = file.fields
            created, preview = await run_in_threadpool(_create, database, actor, storage, file)
    except (InputError, UsageError) as problem:
        return await run_in_threadpool(_form, request, actor, database, settings, fields, problem)
    return RedirectResponse(f"/datasets/{created}/import" if preview else f"/datasets/{created}", 303)


@router.post("/datasets/uploads/{id_}/cancel")
def cancel(actor: PageActor, session: SessionDep, storage: StorageDep, id_: str) -> RedirectResponse:
    """Cancel an upload that is not finished."""
    uploads.cancel(session, actor, storage, id_)
    return RedirectResponse("/datasets/new", 303)


def _form(
    request: Request,
    actor: User,
    database: Database,
    settings: Settings,
    typed: Mapping[str, str] | None = None,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    fields: dict[str, Any] = {name: (typed or {}).get(name, "") for name in FIELDS}
    fields["preview"] = typed is None or bool(fields["preview"])
    with database.session(write=False) as session:
        unfinished, _cursor = uploads.list_page(session, actor)
    return render(
        request,
        "datasets/new.html",
        status=problem.status if problem else 200,
        actor=actor,
        error=problem.message if problem else "",
        max_bytes=settings.max_upload_mib * MIB,
        unfinished=unfinished,
        api_calls=[
            ApiCall(
                _("Upload a table and read it as found"),
                "POST",
                "/datasets/upload",
                'dataset = client.datasets.upload("payments.csv")',
                file="payments.csv",
            ),
            ApiCall(
                _("Begin an upload in parts (tus 1.0: then PATCH the parts)"),
                "POST",
                "/datasets/uploads",
                'dataset = client.datasets.upload("payments.csv", preview=True)',
                json={"filename": "payments.csv", "size": 104857600, "preview": True},
            ),
        ],
        **fields,
    )


def _create(database: Database, actor: User, storage: LocalStorage, file: Upload) -> tuple[str, bool]:
    """Make the dataset in a transaction of its own: the long upload before it held none."""
    name, label_column = (file.fields.get(field, "").strip() or None for field in FIELDS[:2])
    preview = bool(file.fields.get("preview", "").strip())
    with database.session() as session:
        made = service.create(
            session, actor, storage, file.path, file.filename, name, label_column, preview=preview
        )
        return made.id, preview
