"""The supervisor: a dead worker is restarted, and none outlives the server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pynomaly.server.jobs.supervisor import Supervisor, environment
from pynomaly.settings import Settings

SERVER = """
import sys
from pynomaly.server.jobs.supervisor import Supervisor
from pynomaly.settings import Settings
Supervisor(Settings(), slots=1).start()
sys.stdin.read()
"""


@pytest.fixture
def supervisor(settings: Settings) -> Iterator[Supervisor]:
    """A supervisor with a real worker, not started."""
    supervisor = Supervisor(settings, slots=1)
    yield supervisor
    supervisor.stop()


def workers(home: Path) -> list[int]:
    """Process ids of the workers of this installation."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environ = (process / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if b"pynomaly.server.work" in command and f"PYNOMALY_HOME={home}".encode() in environ:
            found.append(int(process.name))
    return found


def test_dead_worker_is_restarted_and_does_the_work(
    jobs: Any, supervisor: Supervisor, until: Any, settings: Settings
) -> None:
    supervisor.start()
    first = supervisor.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    second = until(lambda: supervisor.pid not in (None, first) and supervisor.pid)
    assert workers(settings.home) == [second]
    job_id = jobs.add("dataset.ingest")  # without a dataset: fails, but only a worker can say so
    assert jobs.wait(job_id).error_code == "not_found"
    supervisor.stop()
    assert supervisor.pid is None
    assert workers(settings.home) == []


def test_worker_goes_when_the_server_is_killed(settings: Settings, until: Any) -> None:
    env = {**os.environ, **environment(settings)}
    server = subprocess.Popen([sys.executable, "-c", SERVER], env=env, stdin=subprocess.PIPE)
    until(lambda: workers(settings.home))
    server.kill()
    server.wait()
    until(lambda: not workers(settings.home), seconds=30)
    server.stdin.close()  # type: ignore[union-attr]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=False)
def test_worker_that_does_not_stop_is_killed(
    settings: Settings, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pynomaly.server.jobs.supervisor.STOP_SECONDS", 0.2)
    deaf = "import signal, sys; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'w'); sys.stdin.read()"
    supervisor = Supervisor(settings, command=[sys.executable, "-c", deaf, str(tmp_path / "deaf")])
    supervisor.start()
    until((tmp_path / "deaf").exists)
    pid = supervisor.pid
    supervisor.stop()
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()


def test_supervisor_that_never_started_stops(tmp_path: Path) -> None:
    supervisor = Supervisor(Settings(home=tmp_path))
    supervisor.stop()
    assert supervisor.pid is None


def test_stopping_does_not_wait_for_a_restart(
    tmp_path: Path, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pynomaly.server.jobs.supervisor.FIRST_WAIT_SECONDS", 60.0)
    supervisor = Supervisor(Settings(home=tmp_path), command=[sys.executable, "-c", ""])
    supervisor.start()
    until(lambda: supervisor.pid is None)
    supervisor.stop()


def test_waits_between_restarts_grow_until_one_lives_long(
    tmp_path: Path, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pynomaly.server.jobs.supervisor.FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr("pynomaly.server.jobs.supervisor.STEADY_SECONDS", 0.0)
    starts = tmp_path / "starts"
    supervisor = Supervisor(
        Settings(home=tmp_path), command=[sys.executable, "-c", f"open({str(starts)!r}, 'a').write('x')"]
    )
    supervisor.start()
    until(lambda: starts.exists() and len(starts.read_text()) >= 3)
    supervisor.stop()


def test_environment_carries_the_explicit_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, port=1234, secret_key=SecretStr("s3cret"), admin_password_file=None)
    assert environment(settings) == {
        "PYNOMALY_HOME": str(tmp_path),
        "PYNOMALY_PORT": "1234",
        "PYNOMALY_SECRET_KEY": "s3cret",
    }
