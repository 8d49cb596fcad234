"""Fixtures for the tests of jobs: sample tasks, one warm process, workers in threads and processes."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

HERE = str(Path(__file__).parent)
sys.path.insert(0, HERE)

import sample_jobs  # noqa: E402

from pynomaly.server.db import Database  # noqa: E402
from pynomaly.server.jobs.models import Job  # noqa: E402
from pynomaly.server.jobs.processes import Forkserver  # noqa: E402
from pynomaly.server.jobs.queue import enqueue  # noqa: E402
from pynomaly.server.jobs.supervisor import environment  # noqa: E402
from pynomaly.server.jobs.worker import Worker  # noqa: E402
from pynomaly.settings import Settings  # noqa: E402

Until = Callable[..., Any]


@pytest.fixture
def until() -> Until:
    """Call a function again and again until what it gives is true."""

    def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, "it did not happen in time"
            threading.Event().wait(0.005)
        return value

    return until


class Jobs:
    """The jobs of a test."""

    def __init__(self, database: Database, until: Until) -> None:
        """Work on `database`, which gets a table of effects."""
        self.database = database
        self._until = until
        with database.session() as session:
            session.execute(text(sample_jobs.EFFECTS))

    def add(
        self, kind: str, payload: dict[str, Any] | None = None, *, priority: int = 0, attempts: int = 3
    ) -> str:
        with self.database.session() as session:
            session.info["job_max_attempts"] = attempts
            return enqueue(session, kind, payload or {}, owner_id=None, subject_id=None, priority=priority).id

    def get(self, job_id: str) -> Job:
        with self.database.session(write=False) as session:
            return session.get_one(Job, job_id)

    def wait(self, job_id: str, *statuses: str, seconds: float = 20) -> Job:
        wanted = statuses or ("completed", "failed", "cancelled")
        self._until(lambda: self.get(job_id).status in wanted, seconds)
        return self.get(job_id)

    def effects(self, job_id: str) -> list[tuple[int, str, str]]:
        query = text("SELECT attempt, what, detail FROM effects WHERE job_id = :j")
        with self.database.session(write=False) as session:
            return [tuple(row) for row in session.execute(query, {"j": job_id})]


@pytest.fixture
def jobs(database: Database, until: Until) -> Jobs:
    """Adds and reads jobs."""
    return Jobs(database, until)


@pytest.fixture(scope="session")
def forkserver() -> Iterator[Forkserver]:
    """A warm process for all tests, which can import the sample jobs."""
    environ = {**os.environ, "PYTHONPATH": HERE, "PYNOMALY_SECRET_KEY": "not for children"}
    forkserver = Forkserver(["sample_jobs"], environ)
    forkserver.start()
    yield forkserver
    forkserver.close()


@pytest.fixture
def start_worker(settings: Settings, forkserver: Forkserver) -> Iterator[Callable[..., Worker]]:
    """Start workers in threads; they are stopped at the end."""
    started: list[tuple[Worker, threading.Thread]] = []

    def start(slots: int = 2, **changes: Any) -> Worker:
        changed = settings.model_copy(update=changes)
        worker = Worker(changed, sample_jobs.TASKS, forkserver, slots=slots)
        thread = threading.Thread(target=worker.run)
        thread.start()
        started.append((worker, thread))
        return worker

    yield start
    for worker, thread in started:
        worker.stop()
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def spawn_worker(settings: Settings) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start workers in processes of their own; they are killed at the end."""
    spawned: list[subprocess.Popen[bytes]] = []

    def spawn(slots: int = 2) -> subprocess.Popen[bytes]:
        env = {**os.environ, **environment(settings), "PYTHONPATH": HERE}
        command = [sys.executable, f"{HERE}/sample_jobs.py", str(slots)]
        spawned.append(subprocess.Popen(command, env=env))
        return spawned[-1]

    yield spawn
    for process in spawned:
        process.kill()
        process.wait()
