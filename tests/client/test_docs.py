"""What docs/client.md shows runs, in under 20 lines; and it names every operation and verb."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pynomaly.cli import main as cli
from pynomaly.client import Client
from pynomaly.client.operation import Listing, Operation

TEXT = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
[TRANSCRIPT] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_transcript_runs(served, key, payments, tmp_path):
    assert len(TRANSCRIPT.splitlines()) < 20
    (tmp_path / "payments.csv").write_bytes(payments.read_bytes())
    environment = {"PYNOMALY_SERVER": served.url, "PYNOMALY_API_KEY": key}
    done = subprocess.run(
        [sys.executable, "-c", TRANSCRIPT], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first, found, *rows = done.stdout.splitlines()
    assert first == "payments: 300 rows, 0 cells could not be read"
    assert re.match(r"\d+ anomalies above \d", found)
    assert {row.split()[0] for row in rows[:2]} == {"50", "150"}
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 301


def test_every_operation_is_named():
    with Client("http://localhost") as client:
        parts = {name: part for name, part in vars(client).items() if not name.startswith("_")}
        for name, part in parts.items():
            line = next(one for one in TEXT.splitlines() if f"`client.{name}`" in one)
            for operation in operations(part) if name not in ("account", "users", "audit_log") else ():
                assert re.search(rf"\b{operation}\b", line), (
                    f"docs/client.md does not name {name}.{operation}"
                )


def operations(part):
    """The names of a part's operations."""
    named = [pair for kind in type(part).__mro__ for pair in vars(kind).items()]
    return {name for name, one in named if isinstance(one, Operation | Listing)}


@pytest.mark.parametrize("group", ["dataset", "detector", "detection", "job", "apikey", "user"])
def test_every_verb_is_named_and_there(group):
    line = next(one for one in TEXT.splitlines() if one.startswith(f"| `pynomaly {group}` |"))
    verbs = set(cli.load(group).commands)
    assert set(line.split("|")[2].split(";")[0].strip(" `").split()) == verbs


def test_the_verbs_in_the_examples_take_their_options():
    [shell] = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in shell.splitlines():
        if not line.startswith("pynomaly"):
            continue
        _, group, verb, *words = line.split("|")[0].split("#")[0].split()
        command = cli.load(group).commands[verb]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_importing_the_library_loads_no_client():
    code = "import sys, pynomaly; print([m for m in ('httpx', 'pynomaly.client') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
