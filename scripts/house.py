"""Checks the house rules that no linter knows, and prints the sizes of files and functions."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNSAFE = {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|placeholder|raise NotImplementedError)\b")
LONGEST_FUNCTION = 50


def python_files(folder: str) -> list[Path]:
    """List the Python files under a folder of the repository."""
    return sorted(p for p in (ROOT / folder).rglob("*.py") if "__pycache__" not in p.parts)


def functions(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Yield name, first line and length of every function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the top-level package and line of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0], node.lineno


def faults_of(path: Path) -> Iterator[str]:
    """Yield what is wrong with one source file."""
    text = path.read_text()
    tree = ast.parse(text)
    where = path.relative_to(ROOT)
    if text.strip() and not ast.get_docstring(tree):
        yield f"{where}:1 does not say what it is for"
    yield from (f"{where}:{line} imports {name}" for name, line in imported(tree) if name in UNSAFE)
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{where}:{number} is unfinished: {line.strip()}"
    for name, line, length in functions(tree):
        if length > LONGEST_FUNCTION:
            yield f"{where}:{line} {name} has {length} lines"


def lengths(title: str, values: list[int]) -> str:
    """Say the median and the 90th percentile."""
    ordered = sorted(values)
    p90 = ordered[int(len(ordered) * 0.9)]
    return f"{title}: {len(values)}, median {statistics.median(values):g} lines, p90 {p90}"


def index_hosts() -> list[str]:
    """List tracked files that name a package index."""
    pattern = "|".join(("py" + "pi\\.org", "python" + "hosted\\.org", "registry\\." + "npmjs"))
    found = subprocess.run(
        ["git", "grep", "-lE", pattern], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [f"{name} names a package index" for name in found.stdout.split()]


def main() -> int:
    """Print sizes and faults; 1 when there are faults."""
    sources, tests = python_files("src"), python_files("tests")
    faults = [fault for path in sources for fault in faults_of(path)] + index_hosts()
    source_lines = [len(path.read_text().splitlines()) for path in sources if path.stat().st_size]
    test_lines = sum(len(path.read_text().splitlines()) for path in tests)
    print(lengths("source files", source_lines))
    print(lengths("functions", [size for p in sources for *_, size in functions(ast.parse(p.read_text()))]))
    print(f"test : source lines = {test_lines / max(1, sum(source_lines)):.2f}")
    print("\n".join(faults) or "house rules: kept")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
