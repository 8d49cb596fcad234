"""The pages of model files: download a version's, and make a detector of one."""

from pathlib import Path

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pynomaly.errors import Busy, InputError, MissingExtra, PynomalyError, UsageError
from pynomaly.server.datasets.upload import Upload, received
from pynomaly.server.db import Database
from pynomaly.server.detectors import bundles
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web import downloads
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.body import UPLOAD_SLACK
from pynomaly.server.web.deps import DatabaseDep, PageActor, SettingsDep, StorageDep
from pynomaly.server.web.guard import BODY
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render
from pynomaly.settings import MIB, Settings

router = APIRouter(include_in_schema=False)


async def _allow_model(request: Request, settings: SettingsDep) -> None:
    request.scope[BODY].limit = settings.max_model_mib * MIB + UPLOAD_SLACK


@router.get("/detectors/import")
def ask(request: Request, actor: PageActor, settings: SettingsDep) -> HTMLResponse:
    """Show the form that takes a model file."""
    return _form(request, actor, settings, "")


@router.post("/detectors/import", dependencies=[Depends(_allow_model)])
async def take(
    request: Request, actor: PageActor, database: DatabaseDep, storage: StorageDep, settings: SettingsDep
) -> Response:
    """Make a detector of a model file and show it, or show the form again with what is wrong."""
    name = ""
    try:
        async with received(request, storage, ("name",)) as file:
            name = file.fields.get("name", "")
            made = await run_in_threadpool(_make, database, actor, storage, settings, file)
    except (InputError, UsageError, MissingExtra, Busy) as problem:
        return _form(request, actor, settings, name, problem)
    return RedirectResponse(f"/detectors/{made}?done=imported", 303)


@router.get("/detectors/{id_}/export")
def export(
    request: Request,
    actor: PageActor,
    database: DatabaseDep,
    storage: StorageDep,
    id_: str,
    version: str | None = None,
) -> Response:
    """Download a version's model file; for its owner."""
    with database.session(write=False) as session:
        found = bundles.export(session, actor, storage, id_, version)
    return downloads.stored(request, found.path, found.filename, bundles.MEDIA_TYPE)


def _make(database: Database, actor: User, storage: LocalStorage, settings: Settings, file: Upload) -> str:
    checked = bundles.check(actor, storage, settings, file.path)
    try:
        with database.session() as session:
            return bundles.add(session, actor, storage, checked, file.filename, file.fields.get("name")).id
    finally:
        Path(checked.path).unlink(missing_ok=True)


def _form(
    request: Request, actor: User, settings: Settings, name: str, problem: PynomalyError | None = None
) -> HTMLResponse:
    call = ApiCall(
        _("Make a detector of a model file"),
        "POST",
        "/detectors/import",
        'detector = client.detectors.import_file("guard.pynomaly")',
        file="guard.pynomaly",
    )
    return render(
        request,
        "detectors/import.html",
        status=problem.status if problem else 200,
        actor=actor,
        name=name,
        most_mib=settings.max_model_mib,
        error=problem.message if problem else "",
        api_calls=[call],
    )
