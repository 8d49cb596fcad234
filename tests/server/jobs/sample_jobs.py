"""Kinds of jobs for the tests: what their children do, and tasks that record each effect in a table."""

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from pynomaly.errors import FitFailed, NotFound
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context, Task

Told = Callable[[float, str], None]
EFFECTS = "CREATE TABLE effects (job_id VARCHAR(36), attempt INTEGER, what VARCHAR(64), detail TEXT)"


# --- in the child ---


def echo(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Give the payload back."""
    progress(0.5, "half")
    return payload


def wait(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Say that it began, then wait for a file (at most a minute)."""
    Path(payload["began"]).write_text(f"{os.getpid()}")
    scratch = Path(tempfile.mkstemp()[1])
    scratch.write_text("half-written")
    for step in range(6000):
        if Path(payload["go"]).exists():
            return {"scratch": str(scratch)}
        progress(step / 6000, f"step {step}")
        time.sleep(0.01)
    raise TimeoutError


def die(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Die of a signal, as often as the payload says, then succeed."""
    count = Path(payload["count"])
    done = len(count.read_text()) if count.exists() else 0
    if done < payload["times"]:
        count.write_text("x" * (done + 1))
        Path(tempfile.mkstemp()[1]).write_text("half-written")
        os.kill(os.getpid(), payload["signal"])
    return {"after": done}


def segfault(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Read from address 0."""
    ctypes.string_at(0)
    return {}


def leave(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Exit without a result."""
    sys.exit(3)


def allocate(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Ask for more memory than there may be, in one piece."""
    return {"n": len(bytearray(payload["mib"] << 20))}


def reserve(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Reserve more memory than there may be, without using it."""
    import mmap

    mmap.mmap(-1, payload["mib"] << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return {}


def share(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Use shared memory, which the limit on allocations does not see, until the watch does."""
    import mmap

    pieces = []
    for _ in range(payload["mib"]):
        piece = mmap.mmap(-1, 1 << 20)
        piece.write(b"x" * (1 << 20))
        pieces.append(piece)
    time.sleep(30)
    return {}


def refuse(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Fail for a reason that the user can understand."""
    raise FitFailed("Every column is constant.")


def stumble(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Fail for a reason that nobody foresaw."""
    raise ZeroDivisionError("secret detail")


def odd(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Return what is not JSON."""
    return {"value": float("nan")}


def breed(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Start a process of its own, then wait."""
    grandchild = subprocess.Popen(["sleep", "60"])
    Path(payload["began"]).write_text(f"{grandchild.pid}")
    time.sleep(60)
    return {}


def look(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Tell about its surroundings."""
    return {
        "nice": os.nice(0),
        "cwd": str(Path.cwd()),
        "temp": tempfile.gettempdir(),
        "secret": os.environ.get("PYNOMALY_SECRET_KEY"),
        "group": os.getpgid(0) == os.getpid(),
        "oom": Path("/proc/self/oom_score_adj").read_text().strip(),
    }


# --- in the worker ---


def note(session: Session, job: Job, what: str, detail: str) -> None:
    values = {"j": job.id, "a": job.attempts, "w": what, "d": detail}
    session.execute(text("INSERT INTO effects VALUES (:j, :a, :w, :d)"), values)


def prepare(session: Session, job: Job, context: Context) -> dict[str, Any]:
    """Hand the job's payload on; "gone" in it stands for a subject that was deleted."""
    if job.payload.get("gone"):
        raise NotFound("The dataset is gone.")
    if job.payload.get("broken") == "prepare":
        raise KeyError("prepare")
    return {**job.payload, "file": str(context.storage.temp(".txt"))}


def finish(session: Session, job: Job, result: dict[str, Any], context: Context) -> None:
    """Record success."""
    if job.payload.get("broken") == "finish":
        raise KeyError("finish")
    if job.payload.get("gone_later"):
        raise NotFound("The dataset is gone.")
    note(session, job, "finish", str(result))


def fail(session: Session, job: Job, code: str, detail: str, context: Context) -> None:
    """Record failure."""
    if job.payload.get("broken") == "fail":
        raise KeyError("fail")
    note(session, job, code, detail)


CHILDREN = (echo, wait, die, segfault, leave, allocate, reserve, share, refuse, stumble, odd, breed, look)
TASKS = {
    function.__name__: Task(function.__name__, prepare, f"sample_jobs:{function.__name__}", finish, fail)
    for function in CHILDREN
}


def main() -> None:
    """Run a worker with these tasks, for tests that kill it: `python sample_jobs.py SLOTS`."""
    from pynomaly.server.db import load_models
    from pynomaly.server.jobs.processes import Forkserver
    from pynomaly.server.jobs.worker import Worker, stop_on_signals
    from pynomaly.settings import Settings

    load_models()
    forkserver = Forkserver(["sample_jobs"])
    worker = Worker(Settings(), TASKS, forkserver, slots=int(sys.argv[1]))
    stop_on_signals(worker)
    try:
        worker.run()
    finally:
        forkserver.close()


if __name__ == "__main__":
    main()
