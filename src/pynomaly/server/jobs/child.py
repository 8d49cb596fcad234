"""What happens in the child process of one attempt: limits, the work itself, and the report of how it went.

One socket leads to the worker. In comes one JSON line `{"run", "payload", "memory_mib", "scratch"}`; out go
`{"progress": [fraction, text]}` lines and one last line: `{"result"}`, `{"failed": [code, detail]}`,
`{"died": [code, detail]}` or `{"error": [type, traceback]}`.
"""

import ctypes
import errno
import importlib
import json
import math
import os
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from pynomaly.errors import OutOfMemory, PynomalyError

PROGRESS_SECONDS = 0.05
"""Progress is told at most this often: a work loop may call as often as it likes."""

_PR_SET_PDEATHSIG = 1


def main(connection: socket.socket) -> NoReturn:
    """Do one attempt and exit; nothing of the parent's clean-up may run here."""
    status = 1
    try:
        leave_parent()
        request = json.loads(_read_line(connection))
        report = Report(connection)
        report.send(attempt(request, report.progress))
        status = 0
    except (BrokenPipeError, ConnectionResetError):
        pass  # the worker is gone: nobody wants the result
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def attempt(request: dict[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Run the request under its limits; gives the last message, whatever happens."""
    try:
        _limit(request["memory_mib"], Path(request["scratch"]))
        result = resolve(request["run"])(request["payload"], progress)
        json.dumps(result, allow_nan=False)
        return {"result": result}
    except PynomalyError as error:
        kind = "died" if isinstance(error, OutOfMemory) else "failed"
        return {kind: [error.code, error.message]}
    except Exception as error:  # noqa: BLE001 - the worker logs it and fails the job
        if _is_out_of_memory(error):
            limit = f"The job needed more than the {request['memory_mib']} MiB that it may use."
            return {"died": [OutOfMemory.code, limit]}
        return {"error": [type(error).__name__, traceback.format_exc()]}


class Report:
    """The child's side of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        """Write to `connection`."""
        self._connection = connection
        self._next = 0.0

    def send(self, message: dict[str, Any]) -> None:
        """Send one line."""
        self._connection.sendall(json.dumps(message, allow_nan=False).encode() + b"\n")

    def progress(self, fraction: float, text: str = "") -> None:
        """Tell how much is done (0 to 1; values outside are cut) and what is being done."""
        now = time.monotonic()
        if now >= self._next and math.isfinite(fraction):
            self._next = now + PROGRESS_SECONDS
            self.send({"progress": [min(1.0, max(0.0, float(fraction))), str(text)[:200]]})


def resolve(path: str) -> Callable[..., Any]:
    """Import `"package.module:function"`."""
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _read_line(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.readline()


def leave_parent() -> None:
    """Be a process group of one's own that dies with the parent."""
    with suppress(PermissionError):
        os.setpgid(0, 0)
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
        # when the machine runs out of memory, a job goes before the server does
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")


def _limit(memory_mib: int, scratch: Path) -> None:
    """Bound the memory that may be allocated, and make `scratch` the place of all temporary files."""
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    tempfile.tempdir = str(scratch)
    os.environ["TMPDIR"] = str(scratch)
    os.chdir(scratch)
    limit_memory(memory_mib)


def limit_memory(memory_mib: int) -> None:
    """Bound the memory that this process may allocate, where the system can."""
    if sys.platform == "linux":
        import resource

        limit = memory_mib * 1024 * 1024 + _reserved_bytes()
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _reserved_bytes() -> int:
    """Address space that the libraries reserved without using it: it does not count as the job's."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    kib = int(fields["VmData"].split()[0]) - int(fields["RssAnon"].split()[0])
    return max(0, kib) * 1024


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, as Python, NumPy (MemoryError) or DuckDB (OutOfMemoryException) says it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or type(seen).__name__ == "OutOfMemoryException":
            return True
        if isinstance(seen, OSError) and seen.errno == errno.ENOMEM:
            return True
        seen = seen.__cause__ or seen.__context__
    return False
