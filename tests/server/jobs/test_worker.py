"""Jobs from end to end in a real worker with real processes: how each way to end is recorded."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from pynomaly.server.db import Database
from pynomaly.server.jobs.attempts import Attempt, Site
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.pulse import Pulse
from pynomaly.server.jobs.queue import cancel, claim
from pynomaly.server.jobs.run import Run
from pynomaly.server.jobs.worker import Worker
from pynomaly.server.storage import LocalStorage
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
        ("reserve", {"mib": 4096}, "out_of_memory", 2),
        ("share", {"mib": 600}, "out_of_memory", 2),
    ],
)
def test_failure_is_recorded_with_its_reason(
    jobs: Any, start_worker: Callable[..., Worker], settings: Settings,
    kind: str, payload: dict[str, Any], code: str, attempts: int, until: Any,
) -> None:  # fmt: skip
    start_worker(job_memory_mib=256)
    job_id = jobs.add(kind, payload, attempts=2)
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


def test_cancel_stops_a_running_job_and_all_that_it_started(
    jobs: Any, start_worker: Callable[..., Worker], tmp_path: Path, settings: Settings, until: Any
) -> None:
    start_worker()
    began = tmp_path / "began"
    job_id = jobs.add("breed", {"began": str(began)})
    until(lambda: began.exists() and began.read_text())
    asked = time.monotonic()
    with jobs.database.session() as session:
        cancel(session, session.get_one(Job, job_id))
    job = jobs.wait(job_id)
    assert time.monotonic() - asked < 2
    assert (job.status, job.attempts, job.error_code) == ("cancelled", 1, "cancelled")
    assert [what for _, what, _ in jobs.effects(job_id)] == ["cancelled"]
    until(lambda: not alive(int(began.read_text())))
    until(lambda: no_scratch(settings))


def test_cancel_before_the_start_needs_no_slot(
    jobs: Any, start_worker: Callable[..., Worker], tmp_path: Path, until: Any
) -> None:
    start_worker(slots=1)
    go, began = tmp_path / "go", tmp_path / "began"
    busy = jobs.add("wait", {"go": str(go), "began": str(began)})
    until(began.exists)
    job_id = jobs.add("echo", {"broken": "fail"})
    with jobs.database.session() as session:
        cancel(session, session.get_one(Job, job_id))
    job = jobs.wait(job_id, seconds=2)
    assert (job.status, job.attempts) == ("cancelled", 0)
    go.touch()
    assert jobs.wait(busy).status == "completed"
    with jobs.database.session() as session:
        cancel(session, session.get_one(Job, busy))
    assert jobs.get(busy).status == "completed"
    assert not jobs.get(busy).cancel_requested


def test_progress_is_seen_while_it_runs(
    jobs: Any, start_worker: Callable[..., Worker], tmp_path: Path, until: Any
) -> None:
    start_worker()
    go = tmp_path / "go"
    job_id = jobs.add("wait", {"go": str(go), "began": str(tmp_path / "began")})
    until(lambda: jobs.get(job_id).progress > 0)
    assert jobs.get(job_id).progress_text.startswith("step ")
    go.touch()
    assert jobs.wait(job_id).progress == 1.0


def test_job_that_takes_too_long_is_stopped(
    jobs: Any, start_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    start_worker(job_timeout_seconds=1)
    job_id = jobs.add("wait", {"go": str(tmp_path / "go"), "began": str(tmp_path / "began")}, attempts=1)
    job = jobs.wait(job_id)
    assert (job.status, job.error_code, job.attempts) == ("failed", "timed_out", 1)
    assert "1 s" in job.error_detail


def test_higher_priority_runs_first(
    jobs: Any, start_worker: Callable[..., Worker], database: Database
) -> None:
    ids = [jobs.add("echo", priority=priority) for priority in (0, 0, 5)]
    start_worker(slots=1)
    first, second, third = sorted((jobs.wait(id_) for id_ in ids), key=lambda job: job.started_at)
    assert [first.id, second.id, third.id] == [ids[2], ids[0], ids[1]]


def test_stopping_worker_waits_for_short_jobs(
    jobs: Any, start_worker: Callable[..., Worker], tmp_path: Path, until: Any
) -> None:
    worker = start_worker()
    go, began = tmp_path / "go", tmp_path / "began"
    job_id = jobs.add("wait", {"go": str(go), "began": str(began)})
    until(began.exists)
    worker.stop()
    later = jobs.add("echo")
    go.touch()
    assert jobs.wait(job_id).status == "completed"
    assert jobs.get(later).status == "queued"


def test_stopping_worker_gives_long_jobs_back(
    jobs: Any, spawn_worker: Any, tmp_path: Path, until: Any, settings: Settings
) -> None:
    worker = spawn_worker()
    go, began = tmp_path / "go", tmp_path / "began"
    job_id = jobs.add("wait", {"go": str(go), "began": str(began)}, attempts=1)
    until(lambda: began.exists() and began.read_text())
    # from the second signal on it does not wait for running jobs
    until(lambda: worker.poll() is not None or worker.terminate())
    assert worker.returncode in (0, -signal.SIGTERM)  # it may be leaving already
    job = jobs.get(job_id)
    assert (job.status, job.attempts, job.max_attempts, job.worker) == ("queued", 1, 2, None)
    assert not alive(int(began.read_text()))
    assert no_scratch(settings)
    go.touch()
    spawn_worker()
    assert jobs.wait(job_id).attempts == 2


def test_killed_workers_job_is_taken_over(
    jobs: Any, spawn_worker: Any, start_worker: Any, tmp_path: Path, until: Any, settings: Settings
) -> None:
    worker = spawn_worker()
    go, began = tmp_path / "go", tmp_path / "began"
    job_id = jobs.add("wait", {"go": str(go), "began": str(began)})
    until(lambda: began.exists() and began.read_text())
    child = int(began.read_text())
    worker.kill()
    until(lambda: not alive(child), seconds=5)  # its children die with it
    assert list((settings.home / "tmp" / "jobs").iterdir())
    killed = time.monotonic()
    start_worker(job_lease_seconds=2)
    go.touch()
    job = jobs.wait(job_id)
    assert time.monotonic() - killed < 2 + 5
    assert (job.status, job.attempts) == ("completed", 2)
    assert [(attempt, what) for attempt, what, _ in jobs.effects(job_id)] == [(2, "finish")]
    until(lambda: no_scratch(settings))


def test_job_that_kills_its_workers_fails_in_the_end(
    jobs: Any, spawn_worker: Any, start_worker: Any, tmp_path: Path, until: Any
) -> None:
    worker = spawn_worker()
    began = tmp_path / "began"
    job_id = jobs.add("wait", {"go": str(tmp_path / "go"), "began": str(began)}, attempts=1)
    until(began.exists)
    worker.kill()
    start_worker(job_lease_seconds=2)
    job = jobs.wait(job_id)
    assert (job.status, job.error_code) == ("failed", "killed")
    assert [what for _, what, _ in jobs.effects(job_id)] == ["killed"]


def stop_between_writes(worker: "subprocess.Popen[bytes]", database: Database, job_id: str) -> None:
    """Stop a worker while it has locked nothing: what it has locked then, nobody could take over."""
    while True:
        worker.send_signal(signal.SIGSTOP)
        try:
            with database.session() as session:
                session.execute(select(Job.id).where(Job.id == job_id).with_for_update(nowait=True))
            return
        except OperationalError:
            worker.send_signal(signal.SIGCONT)


def test_zombie_worker_writes_nothing(
    jobs: Any,
    spawn_worker: Any,
    start_worker: Any,
    tmp_path: Path,
    until: Any,
    settings: Settings,
    database: Database,
) -> None:
    zombie = spawn_worker()
    go, began = tmp_path / "go", tmp_path / "began"
    job_id = jobs.add("wait", {"go": str(go), "began": str(began)})
    until(lambda: began.exists() and began.read_text())
    stop_between_writes(zombie, database, job_id)
    go.touch()  # its child finishes, and the result waits for the sleeping worker
    start_worker(job_lease_seconds=2)
    job = jobs.wait(job_id)
    assert (job.status, job.attempts) == ("completed", 2)
    zombie.send_signal(signal.SIGCONT)
    zombie.terminate()
    assert zombie.wait(30) == 0
    again = jobs.get(job_id)
    assert (again.status, again.attempts, again.worker) == ("completed", 2, job.worker)
    assert [(attempt, what) for attempt, what, _ in jobs.effects(job_id)] == [(2, "finish")]
    until(lambda: no_scratch(settings))


def test_jobs_run_though_a_library_cannot_be_loaded_ahead(tmp_path: Path) -> None:
    forkserver = Forkserver(["no_such_module", "sys:no_such_function"])
    outcome = Run(forkserver, 512, 20)("builtins:dict", {}, tmp_path)
    forkserver.close()
    forkserver.close()
    assert outcome.code == "error"  # dict takes no two arguments; what matters is that it was called


def test_unknown_kind_that_runs_elsewhere_is_left_alone(
    jobs: Any, start_worker: Any, database: Database, until: Any
) -> None:
    job_id, waiting = jobs.add("from the future"), jobs.add("also from the future")
    with database.session() as session:
        claim(session, "another worker", 1, ["from the future"])
        cancel(session, session.get_one(Job, waiting))
    start_worker(job_lease_seconds=2)
    assert jobs.wait(jobs.add("die", {"times": 0, "count": "none", "signal": 9})).status == "completed"
    end = time.monotonic() + 3
    until(lambda: time.monotonic() > end)
    assert jobs.get(job_id).status == "running"
    assert jobs.get(waiting).status == "queued"


def test_pulse_goes_on_after_an_error(
    settings: Settings, database: Database, forkserver: Forkserver, until: Any
) -> None:
    beats: list[int] = []

    def attempts() -> list[Attempt]:
        beats.append(1)
        if len(beats) == 1:
            raise ZeroDivisionError
        return []

    pulse = Pulse(Site(settings, database, LocalStorage(settings.home), forkserver), {}, attempts)
    pulse.start()
    until(lambda: len(beats) > 2)
    pulse.stop()
    pulse.join(5)
    assert not pulse.is_alive()


def test_dead_warm_process_is_replaced(
    jobs: Any, start_worker: Any, tmp_path: Path, until: Any, forkserver: Forkserver
) -> None:
    start_worker()
    go, began = tmp_path / "go", tmp_path / "began"
    job_id = jobs.add("wait", {"go": str(go), "began": str(began)})
    child = int(until(lambda: began.exists() and began.read_text()))
    pid = forkserver.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(child))  # it does not outlive the warm process
    go.touch()
    assert jobs.wait(job_id).attempts == 2
    assert forkserver.pid != pid
