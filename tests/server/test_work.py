"""The real worker's processes: idle memory, and which libraries are ready before the first job."""

import threading
from pathlib import Path
from typing import Any

import pytest

from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.run import Run
from pynomaly.server.jobs.supervisor import Supervisor
from pynomaly.server.tasks import TASKS
from pynomaly.server.work import to_load
from pynomaly.settings import Settings


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) / 1024


@pytest.mark.parametrize("backend", ["sqlite"])
def test_idle_worker_and_its_warm_process_are_small(settings: Settings, tmp_path: Path) -> None:
    supervisor = Supervisor(settings, slots=2)
    supervisor.start()
    try:
        assert supervisor.pid is not None
        warm = wait_for(lambda: children(supervisor.pid or 0))
        # it sleeps in its selector once everything is loaded
        wait_for(lambda: Path(f"/proc/{warm[0]}/wchan").read_text().startswith(("ep_poll", "do_epoll")))
        assert pss_mib(supervisor.pid) + sum(map(pss_mib, warm)) < 350
    finally:
        supervisor.stop()


def wait_for(condition: Any) -> Any:
    for _ in range(3000):
        if value := condition():
            return value
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen in time")


def test_job_finds_the_libraries_loaded(warm_process: Forkserver, tmp_path: Path) -> None:
    outcome = Run(warm_process, 1024, 60)("os:getcwd", {}, tmp_path)
    assert outcome.code == "error"  # that function takes no payload: only the warm process matters here
    assert warm_process.pid is not None
    loaded = Path(f"/proc/{warm_process.pid}/maps").read_text()
    assert "duckdb" in loaded
    assert "numba" in loaded
    assert "sklearn" not in loaded


def test_everything_that_a_task_runs_is_loaded_first() -> None:
    assert {task.run.partition(":")[0] for task in TASKS.values()} <= set(to_load(TASKS))
