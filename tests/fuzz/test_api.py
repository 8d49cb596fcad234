"""Schemathesis over the whole API as each role: no 5xx, nothing that the description does not tell.

Short here; `make fuzz` sets FUZZ_EXAMPLES (cases per operation and phase) and runs all phases for every role.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
LONG = int(os.environ.get("FUZZ_EXAMPLES", "0"))
SEED = os.environ.get("FUZZ_SEED", "20260101")
PHASES = {"user": "examples,coverage,fuzzing,stateful"}
SHORT = "examples,fuzzing,stateful"


@pytest.mark.parametrize("role", ["user", "admin", "viewer", "anonymous", "login"])
def test_no_answer_is_a_surprise(target: Any, role: str, tmp_path: Path) -> None:
    phases = PHASES["user"] if LONG else PHASES.get(role, SHORT)
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(HERE / "schemathesis.toml")),
        *("run", f"{target.url}/api/v1/openapi.json"),
        *("--checks", "all", "--seed", SEED, "--no-shrink"),
        *("--phases", phases, "--max-examples", str(LONG or 2)),
    ]
    for name, value in target.headers[role].items():
        command += ["-H", f"{name}: {value}"]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=7200, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    cases = re.search(r"(\d+) generated", done.stdout)
    assert cases is not None
    assert int(cases[1]) > 200
    log = target.log.read_text("utf-8", "replace")
    assert '"level": "error"' not in log
    assert "Traceback" not in log
