"""REST routes of detectors: the catalogue, define, list, look at, change, train."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.server.detectors import service
from pynomaly.server.detectors.models import Detector
from pynomaly.server.detectors.schemas import (
    AlgorithmList,
    DetectorAnswer,
    DetectorBody,
    DetectorDetail,
    DetectorList,
    ModelAnswer,
    TrainBody,
)
from pynomaly.server.jobs.answers import API, PREFER, Begun, StarterDep
from pynomaly.server.jobs.schemas import Started
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.deps import Cursor, Limit, SessionDep, may

router = APIRouter(prefix="/detectors", tags=["detectors"], route_class=ApiRoute)
Reader = Annotated[User, may("detectors:read")]
Writer = Annotated[User, may("detectors:write")]


@router.get("/algorithms")
def show_algorithms(_actor: Reader) -> AlgorithmList:
    """List the algorithms with their parameters, defaults and ranges."""
    return AlgorithmList.model_validate({"items": [entry.json() for entry in CATALOGUE.values()]})


@router.post("", status_code=201)
def create(actor: Writer, session: SessionDep, response: Response, body: DetectorBody) -> DetectorDetail:
    """Define a detector: an algorithm with its parameters and columns."""
    detector = service.create(session, actor, **body.model_dump())
    response.headers["Location"] = f"{API}/detectors/{detector.id}"
    return present(session, detector)


@router.get("")
def show_all(actor: Reader, session: SessionDep, limit: Limit = 50, cursor: Cursor = None) -> DetectorList:
    """List detectors, newest first."""
    detectors, next_cursor = service.list_page(session, actor, cursor, limit)
    return DetectorList(items=[DetectorAnswer(**_fields(one)) for one in detectors], next_cursor=next_cursor)


@router.get("/{id}")
def show(actor: Reader, session: SessionDep, id: str) -> DetectorDetail:  # noqa: A002
    """Look at one detector and its trained version in use."""
    return present(session, service.get(session, actor, id))


@router.put("/{id}")
def replace(actor: Writer, session: SessionDep, id: str, body: DetectorBody) -> DetectorDetail:  # noqa: A002
    """Replace a detector's definition; when more than the name changes, it has to be trained again."""
    return present(session, service.update(session, actor, id, **body.model_dump()))


@router.post(
    "/{id}/train",
    status_code=202,
    response_model=Started,
    responses={200: {"model": DetectorDetail, "description": "It was trained in the time that was waited."}},
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
    return present(session, service.get(session, actor, id_))


def present(session: Session, detector: Detector) -> DetectorDetail:
    """Put the trained version in use beside the definition."""
    model = service.model_of(session, detector)
    return DetectorDetail(**_fields(detector), model=ModelAnswer.model_validate(model) if model else None)


def _fields(detector: Detector) -> dict[str, Any]:
    return {name: getattr(detector, name) for name in DetectorAnswer.model_fields} | service.ways(detector)
