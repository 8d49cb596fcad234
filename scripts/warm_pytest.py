"""Run pytest again and again, each time in a fork of this process, which has loaded the libraries before.

For scripts/mutations.py: each line of standard input is a request (JSON), each line of standard output the
exit code of one. Nothing of Pynomaly itself is loaded here: each fork reads the sources as they are then.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

LIBRARIES = (
    "alembic.command",
    "argon2",
    "duckdb",
    "fastapi",
    "httpx",
    "hypothesis",
    "jwt",
    "numba",
    "pandas",
    "prometheus_client",
    "pyarrow.parquet",
    "pytest",
    "safetensors.numpy",
    "scipy.stats",
    "sqlalchemy.orm",
    "structlog",
    "typer",
    "uvicorn",
    "websockets.sync.client",
)


def answer(request: dict[str, Any]) -> int:
    """Run the tests in a process group that ends with them; gives the exit code (-1: killed)."""
    child = os.fork()
    if child == 0:
        _run(request)
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    return max(code, -1)


def _run(request: dict[str, Any]) -> NoReturn:
    code = 4
    try:
        os.setpgid(0, 0)
        signal.alarm(request["seconds"])
        for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
            place = os.devnull if mode == os.O_RDONLY else request["output"]
            os.dup2(os.open(place, mode | os.O_CREAT | os.O_APPEND, 0o600), number)
        import pytest

        code = int(pytest.main(request["arguments"]))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def main(lines: Iterable[str]) -> None:
    """Answer until there are no more requests."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in lines:
        request = json.loads(line)
        Path(request["output"]).unlink(missing_ok=True)
        print(answer(request), flush=True)


if __name__ == "__main__":
    main(sys.stdin)
