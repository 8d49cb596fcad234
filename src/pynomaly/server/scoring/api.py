"""The REST route that scores rows of JSON at once."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool

from pynomaly.server.db import Database
from pynomaly.server.scoring import service
from pynomaly.server.scoring.schemas import ScoreAnswer, ScoreBody
from pynomaly.server.scoring.scorer import Scorer
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.deps import DatabaseDep, StorageDep, may

router = APIRouter(prefix="/detection", tags=["detection"], route_class=ApiRoute)
AT_ONCE = 20
"""So few rows are checked sooner than a thread would begin; SQLite finds a row by its key as soon."""


async def get_scorer(request: Request) -> Scorer:
    """The application's scoring process."""
    return request.app.state.scorer  # type: ignore[no-any-return]


ScorerDep = Annotated[Scorer, Depends(get_scorer)]


@router.post("/score", responses={504: {}})
async def score(
    actor: Annotated[User, may("detections:write")],
    database: DatabaseDep,
    storage: StorageDep,
    scorer: ScorerDep,
    body: ScoreBody,
) -> ScoreAnswer:
    """Score up to 1,000 rows now, as a detection of the same rows would, and keep nothing of them."""
    prepare = partial(_prepare, actor, database, storage, body)
    quick = database.is_sqlite and len(body.rows) <= AT_ONCE
    found, task = prepare() if quick else await run_in_threadpool(prepare)
    scored = await scorer.ask(task)
    about = {"detector_id": found.detector_id, "model_id": found.model_id, "version": found.version}
    return ScoreAnswer.model_validate(about | scored)


def _prepare(
    actor: User, database: Database, storage: LocalStorage, body: ScoreBody
) -> tuple[service.Chosen, bytes]:
    with database.session(write=False) as session:
        found = service.choose(session, actor, storage, body.detector_id, body.version)
    return found, found.task(body.rows, body.explain)
