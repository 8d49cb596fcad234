"""Jobs from end to end in a real worker with real processes: how each way to end is recorded."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pynomaly.server.db import Database
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.worker import Worker
from pynomaly.settings import Settings


def no_scratch(settings: Settings) -> bool:
    return not list((settings.home / "tmp" / "jobs").glob("*"))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_completes_and_records_the_effect_once(jobs: Any, start_worker: Callable[..., Worker]) -> None:
    start_worker()
    job_id = jobs.add("echo", {"a": [1, "ü"]})
    job = jobs.wait(job_id)
    assert (job.status, job.attempts, job.progress, job.error_code) == ("completed", 1, 1.0, None)
    assert job.lease_until is None
    assert job.started_at <= job.finished_at
    ((attempt, what, detail),) = jobs.effects(job_id)
    assert (attempt, what) == (1, "finish")
    assert "'a': [1, 'ü']" in detail


def test_child_is_confined(jobs: Any, start_worker: Callable[..., Worker], settings: Settings) -> None:
    start_worker()
    job_id = jobs.add("look")
    jobs.wait(job_id)
    seen = eval(jobs.effects(job_id)[0][2])
    scratch = str(settings.home / "tmp" / "jobs" / f"{job_id}.1")
    assert seen == {
        "nice": 10, "cwd": scratch, "temp": scratch, "secret": None, "group": True, "oom": "1000",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "payload", "code", "attempts"),
    [
        ("refuse", {}, "fit_failed", 1),
        ("stumble", {}, "error", 1),
        ("odd", {}, "error", 1),
        ("echo", {"gone": True}, "not_found", 1),
        ("echo", {"gone_later": True}, "not_found", 1),
        ("echo", {"broken": "prepare"}, "error", 1),
        ("echo", {"broken": "finish"}, "error", 1),
        ("leave", {}, "killed", 2),
        ("segfault", {}, "killed", 2),
        ("allocate", {"mib": 4096}, "out_of_memory", 2),
        ("share", {"mib": 600}, "out_of_memory", 2),
    ],
)
def test_failure_is_recorded_with_its_reason(
    jobs: Any, start_worker: Callable[..., Worker], settings: Settings,
    kind: str, payload: dict[str, Any], code: str, attempts: int, until: Any, database: Database,
) -> None:  # fmt: skip
    start_worker(job_memory_mib=256)
    with database.session() as session:
        session.info["job_max_attempts"] = 2
        job_id = jobs.add(kind, payload)
    with database.session() as session:
        session.get_one(Job, job_id).max_attempts = 2
    job = jobs.wait(job_id)
    assert (job.status, job.error_code, job.attempts) == ("failed", code, attempts)
    assert "secret" not in job.error_detail
    ((attempt, what, _),) = jobs.effects(job_id)
    assert (attempt, what) == (attempts, code)
    until(lambda: no_scratch(settings))


def test_killed_child_is_tried_again(
    jobs: Any, start_worker: Callable[..., Worker], tmp_path: Path, settings: Settings, until: Any
) -> None:
    start_worker()
    payload = {"signal": int(signal.SIGKILL), "times": 1, "count": str(tmp_path / "count")}
    job_id = jobs.add("die", payload)
    job = jobs.wait(job_id)
    assert (job.status, job.attempts) == ("completed", 2)
    assert [what for _, what, _ in jobs.effects(job_id)] == ["finish"]
    until(lambda: no_scratch(settings))
