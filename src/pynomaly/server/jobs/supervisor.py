"""Keep a worker process running beside the server: start it, restart it when it dies, stop it at the end."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import structlog
from pydantic import SecretStr

from pynomaly.settings import Settings

log = structlog.get_logger(__name__)

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A worker that lived this long is restarted without delay."""

STOP_SECONDS = 20.0
"""How long the worker may take to stop; then it is killed, and its jobs' leases run out."""


class Supervisor:
    """Owns one worker process. The worker stops by itself when this process is gone: its standard input ends.

    >>> supervisor = Supervisor(Settings(), slots=2)
    >>> supervisor.pid is None  # nothing runs before start()
    True
    """

    def __init__(self, settings: Settings, slots: int | None = None, command: Sequence[str] = ()) -> None:
        """Run a worker with these settings; `command` replaces the worker's command line."""
        slots = settings.worker_slots if slots is None else slots
        worker = [sys.executable, "-m", "pynomaly.server.work", "--slots", str(slots), "--supervised"]
        self._command = list(command) or worker
        self._environment = {**os.environ, **environment(settings)}
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process id of the worker that runs now."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start the worker and return."""
        self._process = self._spawn()
        self._thread.start()

    def stop(self) -> None:
        """Stop the worker: it gives its jobs back; returns when it is gone."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own module, or what the caller chose
            self._command,
            stdin=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,  # a Ctrl-C in the terminal is for the server, which then stops the worker
        )

    def _watch(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while self._process is not None:
            started = time.monotonic()
            if self._attend(self._process):
                return
            if time.monotonic() - started >= STEADY_SECONDS:
                wait = FIRST_WAIT_SECONDS
            log.error("worker_died", status=self._process.returncode, restart_in=wait)
            if self._stopping.wait(wait):
                return
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
            self._process = self._spawn()

    def _attend(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the worker dies (False) or has to stop (True, when it has stopped)."""
        while process.poll() is None:
            if self._stopping.wait(0.1):
                _stop(process)
                return True
        _close(process)
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("worker_killed", reason="it did not stop in time")
        process.kill()
        process.wait()
    _close(process)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def environment(settings: Settings) -> dict[str, str]:
    """The settings that were given explicitly, as environment variables for a process of our own."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        f"PYNOMALY_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
        if value is not None
    }
