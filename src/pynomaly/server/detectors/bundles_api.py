"""REST routes of model files: export a version, import one as a new detector."""

from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from pynomaly.server.datasets.upload import Upload, received
from pynomaly.server.db import Database
from pynomaly.server.detectors import bundles
from pynomaly.server.detectors.bundles import Checked
from pynomaly.server.detectors.present import present
from pynomaly.server.detectors.schemas import DetectorDetail
from pynomaly.server.jobs.answers import API
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web import downloads
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.body import UPLOAD_SLACK
from pynomaly.server.web.deps import DatabaseDep, SettingsDep, StorageDep, mark_carried_out, may
from pynomaly.server.web.guard import BODY
from pynomaly.server.web.idempotency import Idempotent
from pynomaly.settings import MIB

imports = APIRouter(route_class=ApiRoute)
router = APIRouter(prefix="/{id}", route_class=ApiRoute)
Reader = Annotated[User, may("detectors:read")]
Writer = Annotated[User, may("detectors:write")]

_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": bundles.MEDIA_TYPE},
        "name": {"type": "string"},
    },
}
BODY_OF_IMPORT = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}


async def _allow_model(request: Request, settings: SettingsDep) -> None:
    request.scope[BODY].limit = settings.max_model_mib * MIB + UPLOAD_SLACK


@imports.post(
    "/import", status_code=201, dependencies=[Depends(_allow_model), Idempotent], openapi_extra=BODY_OF_IMPORT
)
async def import_bundle(
    request: Request,
    response: Response,
    actor: Writer,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
) -> DetectorDetail:
    """Make a detector of a model file, of this installation or another; it gives the same scores.

    The file is checked whole, and tried out, in a limited process; it is then signed anew.
    """
    async with received(request, storage, ("name",)) as file:
        checked = await run_in_threadpool(bundles.check, actor, storage, settings, file.path)
        try:
            add = partial(_add, request, actor, database, storage, checked, file)
            answer = await run_in_threadpool(add)
        finally:
            Path(checked.path).unlink(missing_ok=True)
    response.headers["Location"] = f"{API}/detectors/{answer.id}"
    return answer


def _add(
    request: Request, actor: User, database: Database, storage: LocalStorage, checked: Checked, file: Upload
) -> DetectorDetail:
    with database.session() as session:
        detector = bundles.add(session, actor, storage, checked, file.filename, file.fields.get("name"))
        mark_carried_out(request, session)
        return present(session, actor, detector)


@router.get("/bundle", response_class=FileResponse, responses=downloads.answers(bundles.MEDIA_TYPE))
def export_bundle(
    request: Request,
    actor: Reader,
    database: DatabaseDep,
    storage: StorageDep,
    id: str,  # noqa: A002
    version: Annotated[str | None, Query(max_length=64, description="Default: the one in use.")] = None,
) -> Response:
    """Download a version's model file, for `pynomaly.load` or another installation; for its owner.

    It is as it was trained: a threshold that was moved since is the detector's.
    """
    with database.session(write=False) as session:
        found = bundles.export(session, actor, storage, id, version)
    return downloads.stored(request, found.path, found.filename, bundles.MEDIA_TYPE)
