"""The list of mutations does not rot: each can still be applied, and each row of the table has some."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LEAST = 150
ROWS = {
    "missing auth",
    "authorisation",
    "JWT",
    "CSRF, WebSocket hijack",
    "injection",
    "mass assignment",
    "enumeration, brute force",
    "resource",
    "secrets",
    "headers",
    "models",
    "production",
}


def module() -> ModuleType:
    """The script."""
    spec = importlib.util.spec_from_file_location("mutations", ROOT / "scripts/mutations.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules["mutations"] = found  # where its data classes look for their module
    spec.loader.exec_module(found)
    return found


mutations: Any = module()
ENTRIES = mutations.load()


def test_every_entry_can_be_applied() -> None:
    assert mutations.faults(ENTRIES) == []
    assert all(edit.old != edit.new for entry in ENTRIES for edit in entry.edits)
    assert len({(entry.row, entry.defence) for entry in ENTRIES}) == len(ENTRIES) >= LEAST


def test_every_row_has_some() -> None:
    assert {entry.row for entry in ENTRIES} == ROWS


def test_every_test_is_there() -> None:
    for name in {test for entry in ENTRIES for test in entry.tests}:
        path, *steps = name.partition("[")[0].split("::")
        text = (ROOT / path).read_text()
        for step in steps:
            assert re.search(rf"^ *(def|class) {step}\b", text, re.MULTILINE), name


def test_the_document_tells_the_counts() -> None:
    told = (ROOT / "docs/security.md").read_text()
    found = re.findall(r"^\| ([^|]+?) \|.*\| (\d+) \|$", told, re.MULTILINE)
    counts = {row: sum(entry.row == row for entry in ENTRIES) for row in ROWS}
    assert {row: int(count) for row, count in found} == counts | {"all": len(ENTRIES)}


REPORT = '<testsuites><testsuite><testcase name="test_x">{}</testcase></testsuite></testsuites>'


@pytest.mark.parametrize(
    ("code", "inside", "good"),
    [
        (1, '<failure message="assert 200 == 401"/>', True),
        (1, '<failure message="AssertionError: (1, 2)"/>', True),
        (1, '<failure message="Failed: DID NOT RAISE NotFound"/>', True),
        (1, '<failure message="KeyError: 1"/>', False),
        (1, '<error message="failed on setup"/>', False),
        (0, "", False),
        (2, "", False),
        (-1, "", False),
    ],
)
def test_only_an_assertion_is_a_proof(code: int, inside: str, good: bool, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT.format(inside))
    assert mutations.verdict(code, report)[0] is good


def test_a_text_that_is_gone_or_there_twice_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one two two")
    for old, count in (("one", None), ("two", 2), ("three", 0)):
        fault = mutations.Edit("a.py", old, "").fault(tmp_path)
        assert fault == ("" if count is None else f"a.py: the old text is there {count} times")
    assert "0 times" in mutations.Edit("b.py", "one", "").fault(tmp_path)


def test_an_edit_changes_its_text_only(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("if bad:\n    refuse()\n")
    mutations.Edit("a.py", "if bad:", "if False:").apply(tmp_path)
    assert (tmp_path / "a.py").read_text() == "if False:\n    refuse()\n"
