"""REST routes of the threshold of a result: look what another would flag, move it, put it back."""

from typing import Annotated

from fastapi import APIRouter, Query

from pynomaly.server.detections import changes, threshold
from pynomaly.server.detections.schemas import ResultThreshold, ResultThresholdBody
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import SessionDep, StorageDep, may

router = APIRouter(prefix="/detection/results/{id}", tags=["detection"], route_class=ApiRoute)
Reader = Annotated[User, may("detections:read")]
Writer = Annotated[User, may("detections:write")]


@router.get("/threshold")
def look(
    actor: Reader,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
    score: Annotated[float | None, Query(alias="threshold", allow_inf_nan=False)] = None,
    max_alerts: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    _fields: Fields = None,
) -> ResultThreshold:
    """Tell how many rows a threshold flags: a score, or an alert budget; without either the present one."""
    cut = threshold.look(session, actor, storage, id, threshold=score, max_alerts=max_alerts)
    return ResultThreshold.model_validate(cut)


@router.put("/threshold")
def move(
    actor: Writer,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
    body: ResultThresholdBody,
) -> ResultThreshold:
    """Move the threshold of a result, without training or scoring again."""
    detection = changes.locked(session, actor, id)
    cut = threshold.move(session, actor, storage, detection, **body.model_dump())
    return ResultThreshold.model_validate(cut)


@router.delete("/threshold", status_code=204)
def put_back(
    actor: Writer,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
) -> None:
    """Put the threshold of a result back to where the run had it."""
    threshold.reset(session, actor, storage, changes.locked(session, actor, id))
