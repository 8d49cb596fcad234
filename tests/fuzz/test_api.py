"""Schemathesis over the whole API as each role: no 5xx, nothing that the description does not tell.

Short here; `make fuzz` sets FUZZ_EXAMPLES (cases per operation and phase) and runs all phases for every role.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import httpx
import pytest
from server_process import LONG

HERE = Path(__file__).parent
SEED = os.environ.get("FUZZ_SEED", "20260101")
ROLES = ("user", "admin", "viewer", "anonymous", "login")
ALL = "examples,coverage,fuzzing,stateful"
SHORT = {"user": "coverage", "viewer": "fuzzing", "anonymous": "fuzzing"}
BETWEEN = "examples,fuzzing,stateful"
"""Of the short runs of the other roles."""
REFUSED = {"admin": "404", "anonymous": "401"}
"""How a role is refused; the others 403."""
OUT = "auth_logout"
"""It ends the log-in that asks: it has a run of its own, at the end."""
LINKS = re.compile(r"(\d+) covered / (\d+) selected / (\d+) total")


@dataclass(frozen=True)
class Run:
    """What one run of Schemathesis did."""

    cases: int
    operations: int
    followed: int
    links: int

    def told(self, role: str) -> str:
        """Say it in a line."""
        what = f"{self.cases:,} cases, {self.operations} operations"
        return f"as {role}: {what}, {self.followed} of {self.links} links"


def run(target: Any, role: str, folder: Path, phases: str, *filters: str) -> Run:
    """Run Schemathesis with every check; the test fails when it finds anything."""
    folder.mkdir()
    config = Template((HERE / "schemathesis.toml").read_text("utf-8"))
    filled = config.substitute(
        refused=REFUSED.get(role, "403"),
        wait="wait=5" if LONG else "wait=0",
        cases=LONG or 1,
        scenarios=LONG or 6,
        steps=30 if LONG else 15,
    )
    (folder / "schemathesis.toml").write_text(filled, "utf-8")
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", "schemathesis.toml"),
        *("run", f"{target.url}/api/v1/openapi.json", "--checks", "all", "--seed", SEED, "--no-shrink"),
        *("--generation-database", "none", "--phases", phases),
        *("--report", "json", "--report-json-path", "report.json", *filters),
    ]
    for name, value in target.headers[role].items():
        command += ["-H", f"{name}: {value}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment |= {
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "FUZZ_KEEP": ",".join(target.kept),
    }
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, timeout=7200, check=False
    )
    (folder / "told.txt").write_text(done.stdout, "utf-8")
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    report = json.loads((folder / "report.json").read_text("utf-8"))
    links = LINKS.findall(done.stdout) or [(0, 0, 0)]
    followed, _, total = map(int, links[-1])
    return Run(report["test_cases"]["generated"], report["operations"]["tested"], followed, total)


@pytest.mark.parametrize("role", ROLES)
def test_no_answer_is_a_surprise(
    target: Any, role: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    phases = ALL if LONG else SHORT.get(role, BETWEEN)
    skipped = ("--exclude-operation-id", OUT) if role == "login" else ()
    found = run(target, role, tmp_path / "run", phases, *skipped)
    record_property("told", found.told(role))
    assert found.cases > 80
    assert found.operations >= 85
    me = httpx.get(f"{target.url}/api/v1/auth/me", headers=target.headers[role], timeout=30)
    assert me.status_code == (401 if role == "anonymous" else 200), "the run was shut out by itself"
    if LONG and role == "admin":
        assert found.followed > 0, "no link leads from one operation to the next"
    if role == "login":
        run(target, role, tmp_path / "out", "fuzzing", "--include-operation-id", OUT)
    log = target.log.read_text("utf-8", "replace")
    assert '"level": "error"' not in log
    assert "Traceback" not in log
