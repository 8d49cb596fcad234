"""Workers say that they are there, and are missed when they fall silent."""

import time
from datetime import timedelta

import pytest

from pynomaly.server.db import Database, utc_now
from pynomaly.server.jobs import presence
from pynomaly.server.jobs.models import WorkerState
from pynomaly.server.jobs.worker import Worker
from pynomaly.settings import Settings


def test_those_that_fell_silent_do_not_count(database: Database, settings: Settings) -> None:
    with database.session() as session:
        assert presence.crew(session) == presence.Crew(0, 0, None)
        for name, slots in (("a", 2), ("b", 3), ("c", 4)):
            presence.say(session, name, slots)
        presence.say(session, "a", 2)
        session.flush()
        session.get_one(WorkerState, "b").seen_at = utc_now() - presence.ALIVE - timedelta(seconds=1)
        session.get_one(WorkerState, "c").seen_at = utc_now() - presence.FORGOTTEN - timedelta(seconds=1)
        session.flush()
        found = presence.crew(session)
        assert (found.workers, found.slots) == (1, 2)
        presence.sweep(session, settings)
        session.expunge_all()
        assert session.get(WorkerState, "b") is not None
        assert session.get(WorkerState, "c") is None


@pytest.mark.any_database
def test_a_worker_is_there_until_it_stops(database: Database, worker: Worker) -> None:
    def names() -> set[str]:
        with database.session(write=False) as session:
            return {one.name for one in session.query(WorkerState)}

    deadline = time.monotonic() + 20
    while worker.name not in names():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.stop()
    while worker.name in names():
        assert time.monotonic() < deadline
        time.sleep(0.02)
