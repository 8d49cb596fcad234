"""REST routes of detectors: the catalogue, define, list, look at, change, delete, share, train."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.server.datasets.dependents import Cascade, ResultsDep
from pynomaly.server.detectors import bundles_api, changes, service, versions_api
from pynomaly.server.detectors.models import Detector, DetectorStatus
from pynomaly.server.detectors.present import present, shown
from pynomaly.server.detectors.schemas import (
    AlgorithmList,
    DetectorAnswer,
    DetectorBody,
    DetectorDetail,
    DetectorList,
    DetectorPatch,
    TrainBody,
)
from pynomaly.server.jobs.answers import API, PREFER, Begun, StarterDep
from pynomaly.server.jobs.schemas import Started
from pynomaly.server.sharing.api import shares_of
from pynomaly.server.sharing.service import held
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import Contains, Cursor, Limit, SessionDep, StorageDep, may
from pynomaly.server.web.idempotency import Idempotent
from pynomaly.server.web.tags import IF_MATCH, IF_NONE_MATCH, TagsDep

router = APIRouter(prefix="/detectors", tags=["detectors"], route_class=ApiRoute)
Reader = Annotated[User, may("detectors:read")]
Writer = Annotated[User, may("detectors:write")]
Sort = Literal["created_at", "-created_at", "updated_at", "-updated_at", "name", "-name"]
Algorithm = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9_.]+$")]


@router.get("/algorithms")
def show_algorithms(_actor: Reader, _fields: Fields = None) -> AlgorithmList:
    """List the algorithms with their parameters, defaults and ranges."""
    return AlgorithmList.model_validate({"items": [entry.json() for entry in CATALOGUE.values()]})


@router.post("", status_code=201, dependencies=[Idempotent])
def create(actor: Writer, session: SessionDep, response: Response, body: DetectorBody) -> DetectorDetail:
    """Define a detector: an algorithm with its parameters and columns."""
    detector = service.create(session, actor, **body.model_dump())
    response.headers["Location"] = f"{API}/detectors/{detector.id}"
    return present(session, actor, detector)


@router.get("")
def show_all(
    actor: Reader,
    session: SessionDep,
    status: DetectorStatus | None = None,
    algorithm: Algorithm = None,
    name: Contains = None,
    sort: Sort = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> DetectorList:
    """List detectors, one's own and those shared, newest first."""
    detectors, next_cursor = service.list_page(
        session, actor, cursor, limit, sort, status=status, algorithm=algorithm, name=name
    )
    access = held(session, actor, Detector, detectors)
    items = [DetectorAnswer.model_validate(shown(one, access[one.id])) for one in detectors]
    return DetectorList(items=items, next_cursor=next_cursor)


router.include_router(bundles_api.imports)


@router.get("/{id}")
def show(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> DetectorDetail:
    """Look at one detector and its trained version in use."""
    return tags.give(_shown(actor, session, id))


@router.put("/{id}")
def replace(
    actor: Writer,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    body: DetectorBody,
    _if_match: IF_MATCH = None,
) -> DetectorDetail:
    """Replace a detector's definition; if more than name and threshold change, it has to be trained again."""
    tags.require(_own(actor, session, id))
    return tags.give(present(session, actor, service.update(session, actor, id, **body.model_dump())))


@router.patch("/{id}")
def change(
    actor: Writer,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    body: DetectorPatch,
    _if_match: IF_MATCH = None,
) -> DetectorDetail:
    """Change parts of a detector; when more than name and threshold change, it has to be trained again."""
    tags.require(_own(actor, session, id))
    changed = changes.patch(session, actor, id, body.model_dump(exclude_unset=True))
    return tags.give(present(session, actor, changed))


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
    """Delete a detector with its versions; 409 while results depend on it, unless they are to go, too."""
    tags.require(_own(actor, session, id))
    changes.delete(session, actor, storage, results, id, cascade=cascade)


@router.post(
    "/{id}/train",
    status_code=202,
    response_model=Started,
    responses={200: {"model": DetectorDetail, "description": "It was trained in the time that was waited."}},
    dependencies=[Idempotent],
)
async def train(
    actor: Writer,
    starter: StarterDep,
    id: str,  # noqa: A002
    body: TrainBody,
    _prefer: PREFER = None,
) -> Response:
    """Train a detector on a dataset; the model becomes its next version and the one in use."""
    return await starter.run(partial(_train, actor, id, body.dataset_id), partial(_shown, actor), done=200)


def _train(actor: User, id_: str, dataset_id: str, session: Session) -> Begun:
    job = service.start_training(session, actor, id_, dataset_id)
    started = Started(id=id_, job_id=job.id, status="training")
    return Begun(job.id, id_, f"/detectors/{id_}", started)


def _shown(actor: User, session: Session, id_: str) -> DetectorDetail:
    return present(session, actor, service.get(session, actor, id_))


def _own(actor: User, session: Session, id_: str) -> DetectorDetail:
    return present(session, actor, service.get(session, actor, id_, need="own", lock=True))


router.include_router(versions_api.router)
router.include_router(bundles_api.router)
router.include_router(shares_of(Detector, "detectors:read", "detectors:write"))
