"""Which workers are there: each says so every few seconds, and takes its leave when it stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pynomaly.server.db import utc_now
from pynomaly.server.jobs.models import WorkerState
from pynomaly.settings import Settings

SAY_SECONDS = 15.0
"""How often a worker says that it is there."""

ALIVE = timedelta(seconds=4 * SAY_SECONDS)
FORGOTTEN = timedelta(days=1)
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers that are there, with the last one's sign of life (None: nobody ever gave one)."""

    workers: int
    slots: int
    seen_at: datetime | None


def say(session: Session, name: str, slots: int) -> None:
    """Note that a worker is there."""
    now = utc_now()
    seen = update(WorkerState).where(WorkerState.name == name).values(seen_at=now, slots=slots)
    if session.execute(seen.returning(WorkerState.name)).first() is None:
        session.add(WorkerState(name=name, slots=slots, started_at=now, seen_at=now))


def leave(session: Session, name: str) -> None:
    """Note that a worker stops."""
    session.execute(delete(WorkerState).where(WorkerState.name == name))


def seen(session: Session) -> Sequence[WorkerState]:
    """The workers that are remembered, the last sign of life first."""
    return session.scalars(select(WorkerState).order_by(WorkerState.seen_at.desc()).limit(MOST_SHOWN)).all()


def is_alive(worker: WorkerState) -> bool:
    """Whether a worker gave a sign of life lately."""
    return worker.seen_at >= utc_now() - ALIVE


def crew(session: Session) -> Crew:
    """Count the workers that gave a sign of life lately."""
    found = seen(session)
    alive = [one for one in found if is_alive(one)]
    return Crew(len(alive), sum(one.slots for one in alive), found[0].seen_at if found else None)


def sweep(session: Session, _settings: Settings) -> None:
    """Forget workers that died long ago."""
    session.execute(delete(WorkerState).where(WorkerState.seen_at < utc_now() - FORGOTTEN))
