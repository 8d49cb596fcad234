"""Health and metrics: is the process alive, can it do its work, and what has it done."""

from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

import pynomaly
from pynomaly.server.db import Database
from pynomaly.server.jobs.models import Job
from pynomaly.server.metrics import CONTENT_TYPE
from pynomaly.server.storage import LocalStorage
from pynomaly.server.web.deps import (
    DatabaseDep,
    SettingsDep,
    StorageDep,
    get_caller,
    require_of,
)

STATUSES = ("queued", "running", "completed", "failed", "cancelled")
router = APIRouter(tags=["health"])


class Health(BaseModel):
    """What works and what does not."""

    status: Literal["ok", "unavailable"]
    version: str
    checks: dict[str, Literal["ok", "unavailable"]]


@router.get("/health/live")
async def live() -> Health:
    """Tell that the process answers; it asks nothing else, so that a slow database restarts no process."""
    return Health(status="ok", version=pynomaly.__version__, checks={})


@router.get("/health", responses={503: {"model": Health}})
def health(response: Response, database: DatabaseDep, storage: StorageDep) -> Health:
    """Tell whether work can be done: the database has our tables, files can be written."""
    return _health(response, database, storage)


@router.get("/health/ready", responses={503: {"model": Health}})
def ready(response: Response, database: DatabaseDep, storage: StorageDep) -> Health:
    """Tell whether requests may be sent here; the same checks as `/health`."""
    return _health(response, database, storage)


async def _may_read_metrics(request: Request, settings: SettingsDep) -> None:
    if not settings.metrics_public:
        require_of(await get_caller(request), "system:read")


_may_read_metrics.permission = "system:read"  # type: ignore[attr-defined]


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    dependencies=[Depends(_may_read_metrics)],
)
def metrics(request: Request) -> Response:
    """Give all metrics in the Prometheus text format."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE)


def count_jobs(database: Database) -> Mapping[str, int]:
    """Count the jobs in each status; nothing when the database does not answer."""
    query = select(Job.status, func.count()).group_by(Job.status)
    try:
        with database.session(write=False) as session:
            found: dict[str, int] = {row[0]: row[1] for row in session.execute(query)}
    except SQLAlchemyError:
        return {}
    return {status: found.get(status, 0) for status in STATUSES}


def _health(response: Response, database: Database, storage: LocalStorage) -> Health:
    works = {"database": _database_works(database), "storage": _storage_works(storage)}
    if not all(works.values()):
        response.status_code = 503
    return Health(
        status="ok" if all(works.values()) else "unavailable",
        version=pynomaly.__version__,
        checks={name: "ok" if good else "unavailable" for name, good in works.items()},
    )


def _database_works(database: Database) -> bool:
    try:
        with database.session(write=False) as session:
            session.execute(text("select 1 from users limit 1"))
    except SQLAlchemyError:
        return False
    return True


def _storage_works(storage: LocalStorage) -> bool:
    try:
        draft = storage.temp(".health")
        draft.write_bytes(b"ok")
        draft.unlink()
    except OSError:
        return False
    return True
