"""The API process's hold on the process that scores: start it, ask it, replace it when it dies or hangs."""

import asyncio
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import structlog

from pynomaly.errors import Busy, PynomalyError, ScoringFailed, ScoringTimedOut, error_of
from pynomaly.server.jobs.processes import SECRETS
from pynomaly.server.scoring.wire import packed, received
from pynomaly.server.secret import derive
from pynomaly.settings import Settings

log = structlog.get_logger(__name__)

MOST_WAITING = 256
"""Tasks that may be under way; more are refused, so that a slow model does not fill the memory."""
STEADY_SECONDS = 5.0
"""A process that lived this long is replaced at once when it dies; another one when it is needed."""
STOP_SECONDS = 5.0
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Answer = dict[str, Any]


class Scorer:
    """Owns at most one scoring process; started by the first task, safe to use from many threads."""

    def __init__(self, settings: Settings, command: Sequence[str] = ()) -> None:
        """Score with these settings; `command` replaces the process's command line."""
        self._settings = settings
        self._command = list(command) or [sys.executable, "-m", "pynomaly.server.scoring.process"]
        self._lock = threading.Lock()
        self._running: _Process | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process id of the scoring process, if one runs."""
        running = self._running
        return running.pid if running is not None else None

    async def ask(self, task: bytes) -> Answer:
        """Have a task done.

        Raises:
            ScoringTimedOut: it took longer than the settings allow; the process is replaced.
            ScoringFailed: the process died meanwhile, or has not enough memory.
            Busy: too many tasks are under way, or the server stops.
            PynomalyError: what the task itself is refused for.
        """
        process, waiting = self._submit(task)
        seconds = self._settings.scoring_timeout_seconds
        try:
            answer = await asyncio.wait_for(asyncio.wrap_future(waiting), seconds)
        except TimeoutError:
            log.warning("scoring_hangs", pid=process.pid, seconds=seconds)
            self._retire(process)
            raise ScoringTimedOut(f"Scoring took longer than the {seconds:g} s that it may take.") from None
        if "error" in answer:
            raise _error(*answer["error"])
        found: Answer = answer["found"]
        return found

    def close(self) -> None:
        """End the process; tasks that are under way fail."""
        with self._lock:
            self._closed = True
            process, self._running = self._running, None
        if process is not None:
            process.end()

    def _submit(self, task: bytes) -> "tuple[_Process, Future[Answer]]":
        with self._lock:
            if self._closed:
                raise Busy("The server is stopping: try again.", retry_after=10)
            process = self._running or self._start()
            return process, process.submit(task)

    def _start(self) -> "_Process":
        settings = self._settings
        given = {"key": derive(settings, "models").hex(), "memory_mib": settings.scoring_memory_mib}
        self._running = _Process(self._command, json.dumps(given).encode(), self._ended)
        return self._running

    def _retire(self, process: "_Process") -> None:
        """Kill a process; who asks from now on gets a new one."""
        with self._lock:
            if self._running is process:
                self._running = None
        process.kill()

    def _ended(self, process: "_Process") -> None:
        """Replace a process that died, unless it dies as soon as it is started."""
        with self._lock:
            if self._running is not process:
                return
            self._running = None
            log.error("scoring_process_died", status=process.status, lived=round(process.lived, 1))
            if process.lived > STEADY_SECONDS and not self._closed:
                self._start()


class _Process:
    """One scoring process, a thread that started it and listens to it, and one that writes to it."""

    def __init__(self, command: Sequence[str], first: bytes, ended: Any) -> None:
        """Start; tasks may be submitted at once, and are done when it is ready."""
        self._command = command
        self._ended = ended
        self._ours, self._theirs = socket.socketpair()
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._unsent = 0
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Answer]] = {}
        self._last = 0
        self._gone = False
        self._send(packed(0, first))
        self._started = time.monotonic()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader = threading.Thread(target=self._attend, name="scoring", daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, name="scoring-writer", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return self._process.pid if self._process is not None else None

    @property
    def status(self) -> int | None:
        """How it ended."""
        return self._process.returncode if self._process is not None else None

    @property
    def lived(self) -> float:
        """For how many seconds it runs."""
        return time.monotonic() - self._started

    def submit(self, task: bytes) -> "Future[Answer]":
        """Send a task; raises Busy when too many are under way."""
        waiting: Future[Answer] = Future()
        waiting.set_running_or_notify_cancel()  # who stops waiting does not undo it
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise Busy("Too many rows are being scored at the moment: try again.", retry_after=1)
            if self._gone:
                waiting.set_exception(_died())
                return waiting
            self._last += 1
            self._waiting[self._last] = waiting
            self._send(packed(self._last, task))
        return waiting

    def _send(self, message: bytes) -> None:
        """Send at once what the socket takes, and leave the rest to the writer: nobody waits here."""
        if not self._unsent:
            with suppress(OSError):  # it is full, or the process is gone and the reader knows
                message = message[self._ours.send(message, socket.MSG_DONTWAIT) :]
        if message:
            self._unsent += 1
            self._outbox.put(message)

    def kill(self) -> None:
        """Kill it; the reader notices."""
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """Have it end, and wait until it is gone."""
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        self._reader.join(STOP_SECONDS)
        if self._reader.is_alive():
            self.kill()
            self._reader.join()

    def _attend(self) -> None:
        """Start the process, here: it dies with the thread that started it. Then take its answers."""
        environ = {name: value for name, value in os.environ.items() if name not in SECRETS} | ONE_THREAD
        try:
            with self._theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own module, or what the caller chose
                    self._command, stdin=self._theirs.fileno(), env=environ, start_new_session=True
                )
            for number, body in received(self._ours):
                with self._lock:
                    waiting = self._waiting.pop(number)
                waiting.set_result(json.loads(body))
        finally:
            self._bury()

    def _bury(self) -> None:
        """See to it that it is gone, and tell all who wait for it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        with self._lock:
            self._gone = True
            left, self._waiting = self._waiting, {}
        self._outbox.put(None)
        self._ended(self)
        for waiting in left.values():
            waiting.set_exception(_died())

    def _write(self) -> None:
        """Send until the reader, which is done with the socket then, says that all is over."""
        with self._ours:
            while (message := self._outbox.get()) is not None:
                with suppress(OSError):  # it is gone, and the reader knows
                    self._ours.sendall(message)
                with self._lock:
                    self._unsent -= 1


def _died() -> PynomalyError:
    return ScoringFailed("The process that scores has died; it is started again.", retry_after=1)


def _error(code: str, message: str) -> PynomalyError:
    if code == "out_of_memory":
        return ScoringFailed(message)
    kind = error_of(code)
    return PynomalyError(message) if kind is None else kind(message)
