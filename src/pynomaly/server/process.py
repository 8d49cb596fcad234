"""A piece of work in a limited process of its own, for a request that waits: the API stays small and quick.

`python -m pynomaly.server.process` reads one request as JSON from standard input, does it as a job's child
does its attempt (see `jobs.child`), and writes the last message to standard output.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from typing import Any

from pynomaly.errors import Busy, Killed, OutOfMemory, PynomalyError, TimedOut, error_of
from pynomaly.server.jobs.child import attempt

NICENESS = 5
AT_ONCE = 2
WAIT_SECONDS = 10.0
_places = threading.BoundedSemaphore(AT_ONCE)


def run(function: str, payload: dict[str, Any], *, memory_mib: int, timeout_seconds: float) -> dict[str, Any]:
    """Call `function` ("package.module:name") as `function(payload, progress)` in a new process.

    It gets no settings and no secret but what `payload` holds. Two run at once; others wait for a while.

    Raises:
        PynomalyError: what it raised.
        OutOfMemory, TimedOut, Killed: how else it ended.
        Busy: too many others are waiting.
    """
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise Busy(retry_after=10)
    try:
        with tempfile.TemporaryDirectory(prefix="pynomaly-") as scratch:
            request = {"run": function, "payload": payload, "memory_mib": memory_mib, "scratch": scratch}
            return _result(_ask(request, timeout_seconds))
    finally:
        _places.release()


def _ask(request: dict[str, Any], timeout_seconds: float) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYNOMALY_")}
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=timeout_seconds,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"It took longer than {timeout_seconds:g} s.") from error
    try:
        message: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise Killed(f"Its process ended without a result (status {done.returncode}).") from error
    return message


def _result(message: dict[str, Any]) -> dict[str, Any]:
    kind, value = next(iter(message.items()))
    if kind == "result":
        result: dict[str, Any] = value
        return result
    if kind == "died":
        raise OutOfMemory(value[1])
    if kind == "failed" and (known := error_of(value[0])) is not None:
        raise known(value[1])
    raise PynomalyError(f"{value[0]}: {value[1]}")


def main() -> None:
    """Do what standard input asks for; whatever else is printed goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)
    os.nice(NICENESS)
    message = attempt(json.load(sys.stdin), lambda *_: None)
    with os.fdopen(answers, "w") as out:
        json.dump(message, out, allow_nan=False)


if __name__ == "__main__":
    main()
