"""Health says what works; metrics say what was done and what waits."""

import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

import pynomaly
from pynomaly.server.db import Database
from pynomaly.server.jobs.queue import enqueue
from pynomaly.server.users import keys
from pynomaly.server.users.models import User
from pynomaly.settings import Settings


@pytest.fixture
def open_metrics(app: FastAPI) -> None:
    """Show the metrics to everyone."""
    app.state.settings = app.state.settings.model_copy(update={"metrics_public": True})


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_a_healthy_server_says_so(client: httpx.Client, prefix: str) -> None:
    for path in ("/health", "/health/ready"):
        answer = client.get(prefix + path)
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ok",
            "version": pynomaly.__version__,
            "checks": {"database": "ok", "storage": "ok"},
        }
    assert client.get(f"{prefix}/health/live").json()["checks"] == {}


@pytest.mark.usefixtures("open_metrics")
def test_without_a_database_it_is_alive_but_not_ready(client: httpx.Client, database: Database) -> None:
    with database.session() as session:
        session.execute(text("ALTER TABLE users RENAME TO lost"))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "unavailable", "storage": "ok"}
    assert client.get("/health/live").status_code == 200
    with database.session() as session:
        session.execute(text("ALTER TABLE jobs RENAME TO lost_jobs"))
    assert "pynomaly_jobs{" not in client.get("/metrics").text


def test_without_a_place_for_files_it_is_not_ready(client: httpx.Client, settings: Settings) -> None:
    shutil.rmtree(settings.home / "tmp", ignore_errors=True)
    Path(settings.home / "tmp").write_text("in the way")
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "storage": "unavailable"}


@pytest.mark.usefixtures("open_metrics")
def test_jobs_are_counted_by_status(client: httpx.Client, database: Database) -> None:
    with database.session() as session:
        for _ in range(3):
            enqueue(session, "dataset.ingest", {}, owner_id=None, subject_id=None)
    for path in ("/metrics", "/api/v1/metrics"):
        answer = client.get(path)
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert 'pynomaly_jobs{status="queued"} 3.0' in answer.text
        assert 'pynomaly_jobs{status="failed"} 0.0' in answer.text
    assert "process_resident_memory_bytes" in answer.text


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/metrics"])
def test_metrics_are_for_administrators(
    client: httpx.Client, log_in: Callable[..., httpx.Client], path: str
) -> None:
    assert client.get(path).status_code == 401
    assert log_in("user@example.org").get(path).json()["details"] == {"permission": "system:read"}
    assert log_in("admin@example.org", role="admin").get(path).status_code == 200


def test_a_key_reads_metrics_with_its_scope_only(
    client: httpx.Client, database: Database, make_user: Callable[..., User]
) -> None:
    admin = make_user(role="admin")
    with database.session() as session:
        fit, unfit = (
            keys.create(session, admin, "monitor", [scope], None)[1] for scope in ("system:read", "jobs:read")
        )
    assert client.get("/metrics", headers={"X-API-Key": fit}).status_code == 200
    assert client.get("/metrics", headers={"X-API-Key": unfit}).status_code == 403
