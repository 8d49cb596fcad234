"""Run one attempt's work in a child process, and stop it at its limits of time and memory or when told to."""

import os
import signal
import time
from pathlib import Path
from typing import Any, Literal

import structlog

from pynomaly.errors import Killed, OutOfMemory, TimedOut
from pynomaly.server.jobs.outcome import CANCELLED, LOST, Outcome, unexpected
from pynomaly.server.jobs.processes import Child, Exit, Forkserver

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.1
EXIT_SECONDS = 10
NEAR_LIMIT = 0.9
"""A process that dies of a signal while it holds more than this share of its memory ran out of memory."""


class Run:
    """The work of one attempt; `stop` may be called from any thread."""

    def __init__(self, forkserver: Forkserver, memory_mib: int, timeout_seconds: float) -> None:
        """Bound the work; nothing starts yet."""
        self._forkserver = forkserver
        self._memory_mib = memory_mib
        self._timeout = timeout_seconds
        self._stop: Outcome | None = None
        self._last: Outcome | None = None
        self._peak_mib = 0.0
        self.progress: tuple[float, str] = (0.0, "")

    def stop(self, outcome: Outcome) -> None:
        """Kill the work; the first reason given is the outcome: CANCELLED, GIVEN_BACK or LOST."""
        self._stop = self._stop or outcome

    @property
    def stopped(self) -> Outcome | None:
        """Why it was stopped."""
        return self._stop

    def __call__(self, function: str, payload: dict[str, Any], scratch: Path) -> Outcome:
        """Run `function` ("package.module:name") in a child whose temporary files go to `scratch`."""
        oom_kills_before = oom_kills()
        child = self._forkserver.fork()
        try:
            child.send(
                {"run": function, "payload": payload, "memory_mib": self._memory_mib, "scratch": str(scratch)}
            )
            self._attend(child)
        except OSError as error:  # it died before it read its request
            log.debug("job_child_gone", error=str(error))
        finally:
            exit_ = self._reap(child)
        return self._judge(exit_, oom_kills() > oom_kills_before)

    def _attend(self, child: Child) -> None:
        """Take messages until the child is done, dead or has to be killed."""
        end = time.monotonic() + self._timeout
        look = 0.0
        while self._last is None:
            try:
                for message in child.receive(POLL_SECONDS):
                    self._take(message)
            except EOFError:
                return
            now = time.monotonic()
            if now >= look:
                look = now + POLL_SECONDS
                self._stop = self._stop or self._beyond_limits(child, now >= end)
            if self._stop is not None:
                return

    def _take(self, message: dict[str, Any]) -> None:
        kind, value = next(iter(message.items()))
        if kind == "progress":
            self.progress = (value[0], value[1])
        elif kind == "result":
            self._last = Outcome("done", result=value)
        elif kind == "error":
            name, trace = value
            log.error("job_error", error=name, traceback=trace)
            self._last = unexpected(name)
        else:
            verdict: Literal["died", "failed"] = "died" if kind == "died" else "failed"
            self._last = Outcome(verdict, value[0], value[1])

    def _beyond_limits(self, child: Child, late: bool) -> Outcome | None:
        if late:
            detail = f"The job took longer than the {self._timeout:g} s that it may take."
            return Outcome("died", TimedOut.code, detail)
        self._peak_mib = max(self._peak_mib, resident := child.resident_mib())
        return self._out_of_memory() if resident > self._memory_mib else None

    def _reap(self, child: Child) -> Exit:
        """End the child, wait until it is gone, and free what was held for it."""
        if self._last is None:
            child.kill()
        exit_ = child.wait(EXIT_SECONDS)
        if exit_ is None:
            child.kill()
            exit_ = child.wait(EXIT_SECONDS) or Exit(signal.SIGKILL, 0.0)
        child.close()
        return exit_

    def _judge(self, exit_: Exit, machine_ran_out: bool) -> Outcome:
        """Decide the outcome: what the child said, else why we killed it, else how it died."""
        if self._last is not None and self._stop not in (LOST, CANCELLED):
            return self._last
        if self._stop is not None:
            return self._stop
        near = self._peak_mib > NEAR_LIMIT * self._memory_mib
        if exit_.signal is not None and (near or (machine_ran_out and exit_.signal == signal.SIGKILL)):
            return self._out_of_memory()
        if exit_.signal is not None:
            return Outcome("died", Killed.code, f"The job's process was killed (signal {exit_.signal}).")
        status = os.waitstatus_to_exitcode(exit_.status)
        return Outcome("died", Killed.code, f"The job's process ended without a result (status {status}).")

    def _out_of_memory(self) -> Outcome:
        detail = f"The job needed more than the {self._memory_mib} MiB of memory that it may use."
        return Outcome("died", OutOfMemory.code, detail)


def oom_kills() -> int:
    """How many processes the kernel has killed since start-up because the machine ran out of memory."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except FileNotFoundError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
