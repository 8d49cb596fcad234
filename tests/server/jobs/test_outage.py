"""The database goes away while a job runs: its work is recorded, once, when the database is back."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sample_jobs
from sqlalchemy import Engine, make_url

from pynomaly.server.db import Database
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.attempts import Attempt, Site
from pynomaly.server.jobs.outcome import CANCELLED, GIVEN_BACK, LOST, Outcome
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.worker import Worker
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

Outage = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def outage(settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Outage:
    """Makes the database unreachable: SQLite is locked, PostgreSQL cuts and refuses connections."""
    monkeypatch.setattr("pynomaly.server.db.SQLITE_BUSY_SECONDS", 0.05)

    @contextmanager
    def locked() -> Iterator[None]:
        database = Database(settings)
        with database.session() as session:
            session.connection()
            yield
        database.close()

    @contextmanager
    def refused() -> Iterator[None]:
        server: Engine = request.getfixturevalue("postgres")
        name = make_url(settings.url).database
        with server.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.exec_driver_sql(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            yield
            connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    return locked if "postgresql" not in settings.url else refused


def test_result_waits_for_the_database(
    jobs: Any, outage: Outage, start_worker: Any, tmp_path: Path, until: Any, settings: Settings
) -> None:
    start_worker(job_lease_seconds=2)
    go, began = tmp_path / "go", tmp_path / "began"
    job_id = jobs.add("wait", {"go": str(go), "began": str(began)})
    child = Path(f"/proc/{until(lambda: began.exists() and began.read_text())}")
    with outage():
        go.touch()
        until(lambda: not child.exists())
        end = time.monotonic() + 1
        until(lambda: time.monotonic() > end)
    job = jobs.wait(job_id)
    assert (job.status, job.attempts) == ("completed", 1)
    assert [what for _, what, _ in jobs.effects(job_id)] == ["finish"]


def test_worker_stops_although_the_database_is_gone(
    jobs: Any, outage: Outage, start_worker: Any, tmp_path: Path, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pynomaly.server.jobs.worker.SETTLE_SECONDS", 0.3)
    worker: Worker = start_worker(job_lease_seconds=2)
    began = tmp_path / "began"
    job_id = jobs.add("wait", {"go": str(tmp_path / "go"), "began": str(began)})
    child = Path(f"/proc/{until(lambda: began.exists() and began.read_text())}")
    with outage():
        worker.stop()
        worker.stop()
        until(lambda: not child.exists())
        until(lambda: not worker._running())
    assert jobs.get(job_id).status == "running"  # until its lease runs out
    (tmp_path / "go").touch()
    start_worker(job_lease_seconds=2)
    assert jobs.wait(job_id).attempts == 2


@pytest.fixture
def attempt(jobs: Any, database: Database, settings: Settings, forkserver: Forkserver) -> Attempt:
    """An attempt that was claimed and has not begun."""
    jobs.add("echo")
    with database.session() as session:
        (job,) = queue.claim(session, "w", 15, ["echo"])
    site = Site(settings, database, LocalStorage(settings.home), forkserver)
    return Attempt(job, sample_jobs.TASKS["echo"], site, lambda _: None)


@pytest.mark.parametrize(
    ("why", "status"), [(CANCELLED, "cancelled"), (GIVEN_BACK, "queued"), (LOST, "running")]
)
def test_attempt_that_is_stopped_before_its_child_starts_starts_none(
    attempt: Attempt, jobs: Any, why: Outcome, status: str
) -> None:
    attempt.work.stop(why)
    attempt.run()
    assert jobs.get(attempt.lease.job_id).status == status
    assert attempt.work.progress == (0.0, "")
