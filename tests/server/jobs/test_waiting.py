"""Waiting for a job: until it is finished, or as long as asked."""

import asyncio
import threading
import time
from typing import Any

import pytest

from pynomaly.errors import NotFound
from pynomaly.server.db import Database
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.waiting import wait_finished


def test_tells_the_status_when_time_is_up(jobs: Any, database: Database) -> None:
    job_id = jobs.add("echo")
    began = time.monotonic()
    assert asyncio.run(wait_finished(database, job_id, 0.1)) == "queued"
    assert 0.1 <= time.monotonic() - began < 2


def test_returns_as_soon_as_it_is_finished(jobs: Any, database: Database) -> None:
    job_id = jobs.add("echo")

    def work() -> None:
        with database.session() as session:
            (job,) = queue.claim(session, "w", 15, ["echo"])
            queue.complete(session, job)

    thread = threading.Timer(0.1, work)
    thread.start()
    began = time.monotonic()
    assert asyncio.run(wait_finished(database, job_id, 20)) == "completed"
    assert time.monotonic() - began < 5
    thread.join()


def test_unknown_job(database: Database) -> None:
    with pytest.raises(NotFound):
        asyncio.run(wait_finished(database, "no such job", 1))
