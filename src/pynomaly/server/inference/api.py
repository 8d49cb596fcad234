"""The routes of the Open Inference Protocol v2, at the root, where its clients look for them.

Its errors are `{"error": "…"}`: see `web.errors`. Monitors ask for its health without being counted.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Path as ApiPath
from starlette.concurrency import run_in_threadpool

import pynomaly
from pynomaly.errors import NotReady
from pynomaly.server.db import Database
from pynomaly.server.detectors.versions import version_of
from pynomaly.server.inference import service, tensors
from pynomaly.server.inference.schemas import (
    InferAnswer,
    InferBody,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from pynomaly.server.scoring import service as scoring
from pynomaly.server.scoring.api import ScorerDep
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web import health
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.deps import DatabaseDep, SessionDep, StorageDep, may
from pynomaly.server.web.schema import InferenceError
from pynomaly.server.web.threads import ThreadRoute

PLATFORM = "pynomaly"
probes = APIRouter(prefix="/v2/health", route_class=ThreadRoute, tags=["inference"])
router = APIRouter(prefix="/v2", route_class=ApiRoute, tags=["inference"])
NOT_ONE: dict[int | str, dict[str, Any]] = {409: {}}
"""The name is not unique, or the detector is not trained."""
NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": ModelReady | InferenceError}}
SLOW: dict[int | str, dict[str, Any]] = {504: {}}
Reader = Annotated[User, may("detectors:read")]
Writer = Annotated[User, may("detections:write")]
Name = Annotated[str, ApiPath(min_length=1, max_length=200)]
Version = Annotated[str, ApiPath(min_length=1, max_length=64)]


@probes.get("/live")
async def live() -> ServerLive:
    """Tell that the process answers."""
    return ServerLive(live=True)


@probes.get("/ready", responses={503: {"model": ServerReady}})
def ready(response: Response, database: DatabaseDep, storage: StorageDep) -> ServerReady:
    """Tell whether models can be asked."""
    works = health.ready(response, database, storage).status == "ok"
    return ServerReady(live=True, ready=works)


@router.get("")
async def about(_actor: Reader) -> ServerMetadata:
    """Tell what answers here."""
    return ServerMetadata(name="pynomaly", version=pynomaly.__version__, extensions=[])


@router.get("/models/{name}", responses=NOT_ONE)
def about_model(actor: Reader, session: SessionDep, name: Name) -> ModelMetadata:
    """Describe the version of a detector that is in use."""
    return about_version(actor, session, name, None)


@router.get("/models/{name}/versions/{version}", responses=NOT_ONE)
def show_version(actor: Reader, session: SessionDep, name: Name, version: Version) -> ModelMetadata:
    """Describe one version of a detector, by its number or alias."""
    return about_version(actor, session, name, version)


def about_version(actor: User, session: SessionDep, name: str, version: str | None) -> ModelMetadata:
    """Describe what a version takes and gives."""
    detector = service.named(session, actor, name)
    model = version_of(session, detector, version)
    return ModelMetadata(
        name=name,
        versions=[str(number) for number in service.versions(session, detector)],
        platform=f"{PLATFORM}_{model.algorithm}",
        inputs=tensors.inputs_of(model.columns),
        outputs=tensors.outputs_of(),
    )


@router.get("/models/{name}/ready", responses=NOT_READY)
def model_ready(
    actor: Reader, session: SessionDep, storage: StorageDep, response: Response, name: Name
) -> ModelReady:
    """Tell whether a detector is trained."""
    return version_ready(actor, session, storage, response, name, None)


@router.get("/models/{name}/versions/{version}/ready", responses=NOT_READY)
def show_version_ready(
    actor: Reader, session: SessionDep, storage: StorageDep, response: Response, name: Name, version: Version
) -> ModelReady:
    """Tell whether a version of a detector can be asked."""
    return version_ready(actor, session, storage, response, name, version)


def version_ready(
    actor: User,
    session: SessionDep,
    storage: LocalStorage,
    response: Response,
    name: str,
    version: str | None,
) -> ModelReady:
    """Tell whether a version is there, with its file; 503 when the detector is not trained yet."""
    detector = service.named(session, actor, name)
    try:
        storage.open_path(version_of(session, detector, version).blob_key)
    except NotReady:
        response.status_code = 503
        return ModelReady(name=name, ready=False)
    return ModelReady(name=name, ready=True)


@router.post("/models/{name}/infer", response_model_exclude_none=True, responses=SLOW)
async def infer(
    actor: Writer, database: DatabaseDep, storage: StorageDep, scorer: ScorerDep, name: Name, body: InferBody
) -> InferAnswer:
    """Score rows with the version of a detector that is in use."""
    return await _infer(actor, database, storage, scorer, name, None, body)


@router.post("/models/{name}/versions/{version}/infer", response_model_exclude_none=True, responses=SLOW)
async def infer_version(
    actor: Writer,
    database: DatabaseDep,
    storage: StorageDep,
    scorer: ScorerDep,
    name: Name,
    version: Version,
    body: InferBody,
) -> InferAnswer:
    """Score rows with one version of a detector, by its number or alias."""
    return await _infer(actor, database, storage, scorer, name, version, body)


async def _infer(
    actor: User,
    database: Database,
    storage: LocalStorage,
    scorer: ScorerDep,
    name: str,
    version: str | None,
    body: InferBody,
) -> InferAnswer:
    found, task = await run_in_threadpool(_prepare, actor, database, storage, name, version, body)
    scored = await scorer.ask(task)
    return InferAnswer(
        model_name=name,
        model_version=str(found.version),
        id=body.id,
        parameters={"threshold": scored["threshold"]},
        outputs=tensors.told(scored["items"], body.outputs),
    )


def _prepare(
    actor: User, database: Database, storage: LocalStorage, name: str, version: str | None, body: InferBody
) -> tuple[scoring.Chosen, bytes]:
    tensors.check_outputs(output.name for output in body.outputs or ())
    with database.session(write=False) as session:
        detector = service.named(session, actor, name, need="use")
        found = scoring.choose(session, actor, storage, detector.id, version)
    return found, found.task(tensors.rows_of(body.inputs, found.columns))
