"""Take each defence out, one at a time, and see a test go red: the proofs that docs/security.md counts.

Usage: `python scripts/mutations.py [--workers N] [WORD ...]`; with words, only entries that hold one of them.
The entries are in scripts/mutations/*.toml. Nothing here is changed: each worker has a copy of the tree.
"""

import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
TABLES = Path(__file__).with_suffix("")
WARM = Path(__file__).with_name("warm_pytest.py")
COPIED = ("src", "tests", "docs", "scripts", "pyproject.toml", "README.md", "CHANGELOG.md", "Makefile")
SECONDS = 180
"""A test that takes longer has not gone red."""
OPTIONS = ("-x", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-k", "not postgres")
OPTIONS += ("--hypothesis-seed=0", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The warning is of libraries that are loaded before pytest looks at them."""
TRIES = 2
"""On a busy machine a connection may break, which is no proof."""
ASSERTED = re.compile(r"AssertionError|assert |Failed: DID NOT RAISE")
"""How a failure begins that a test has seen coming; anything else proves nothing."""


@dataclass(frozen=True)
class Edit:
    """Text of a file that is taken out, and what comes in its place."""

    file: str
    old: str
    new: str

    def fault(self, root: Path) -> str:
        """Say why it cannot be done in this tree; empty when it can."""
        path = root / self.file
        found = path.read_text("utf-8").count(self.old) if path.is_file() else 0
        return "" if found == 1 else f"{self.file}: the old text is there {found} times"

    def apply(self, root: Path) -> None:
        """Do it."""
        path = root / self.file
        path.write_text(path.read_text("utf-8").replace(self.old, self.new), "utf-8")


@dataclass(frozen=True)
class Mutation:
    """A defence, what takes it out (and what stands behind it, if anything does), and the tests to see it."""

    row: str
    defence: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What the tests said of one mutation."""

    mutation: Mutation
    good: bool
    told: str
    seconds: float


def load(folder: Path = TABLES) -> list[Mutation]:
    """Read all entries, in the order of the files' names."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        for entry in table["mutation"]:
            edits = [entry, *entry.get("also", ())]
            made = tuple(Edit(one["file"], one["old"], one["new"]) for one in edits)
            found.append(Mutation(table["row"], entry["defence"], made, tuple(entry["tests"])))
    return found


class Tree:
    """A copy of the repository in which tests run against its own sources."""

    def __init__(self, folder: Path) -> None:
        """Copy the tree; times are kept, so that compiled files and kernels stay good."""
        self.root = folder
        folder.mkdir()
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYNOMALY_", "COV"))}
        self._environment |= {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        self._output, self._report = folder / "output.txt", folder / "report.xml"
        self._warm = self._started()

    def _started(self) -> "subprocess.Popen[str]":
        """Start the process that runs the tests, when it is sure that it will load the copy."""
        where = [sys.executable, "-c", "import pynomaly; print(pynomaly.__file__)"]
        done = subprocess.run(where, env=self._environment, capture_output=True, text=True, check=True)
        if not Path(done.stdout.strip()).is_relative_to(self.root):
            raise RuntimeError(f"the copy is not what is tested, but {done.stdout.strip()}")
        command = [sys.executable, str(WARM)]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.root, env=self._environment, stdin=pipe, stdout=pipe, text=True
        )

    def pytest(self, tests: Sequence[str], seconds: int = SECONDS) -> tuple[int, Path]:
        """Run tests, up to the first failure, on SQLite only; gives the exit code and the report."""
        self._report.unlink(missing_ok=True)
        places = [f"--junitxml={self._report}", f"--basetemp={self.root / 'tmp'}"]
        request = {"arguments": [*OPTIONS, *places, *tests], "seconds": seconds, "output": str(self._output)}
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(json.dumps(request) + "\n")
        self._warm.stdin.flush()
        return int(self._warm.stdout.readline()), self._report

    def close(self) -> None:
        """Let the process end."""
        self._warm.communicate()

    def prove(self, mutation: Mutation) -> Outcome:
        """Take the defence out, run its tests, and put it back."""
        began = time.monotonic()
        kept = {edit.file: (self.root / edit.file).read_text("utf-8") for edit in mutation.edits}
        times = {name: (self.root / name).stat() for name in kept}
        try:
            for edit in mutation.edits:
                edit.apply(self.root)
            code, good, told = 1, False, "BROKEN"
            for _ in range(TRIES):
                if code == 1 and not good:
                    code, report = self.pytest(mutation.tests)
                    good, told = verdict(code, report)
        finally:
            for name, text in kept.items():
                (self.root / name).write_text(text, "utf-8")
                os.utime(self.root / name, ns=(times[name].st_atime_ns, times[name].st_mtime_ns))
        return Outcome(mutation, good, told, time.monotonic() - began)

    def tail(self) -> str:
        """The end of what the last tests printed."""
        return self._output.read_text("utf-8", "replace")[-3000:]


def verdict(code: int, report: Path) -> tuple[bool, str]:
    """Tell whether a test has seen it, and how."""
    if code == 0:
        return False, "SURVIVED: the tests stay green"
    if code != 1 or not report.is_file():
        return False, "BROKEN: no test ran to its end" if code > 0 else "BROKEN: out of time"
    for case in ElementTree.parse(report).iter("testcase"):
        for failure in case.iter("failure"):
            said = " ".join(failure.get("message", "").split())
            if ASSERTED.match(said):
                return True, f"red: {case.get('name')}"
            return False, f"BROKEN: {case.get('name')}: {said[:120]}"
    return False, "BROKEN: an error outside of the tests"


def faults(mutations: Sequence[Mutation], root: Path = ROOT) -> list[str]:
    """List the entries that cannot be applied any more."""
    return [
        f"{mutation.row}: {mutation.defence}: {fault}"
        for mutation in mutations
        for edit in mutation.edits
        if (fault := edit.fault(root))
    ]


def run(mutations: Sequence[Mutation], workers: int, folder: Path) -> Iterator[Outcome]:
    """Prove all, some at the same time; first of all, that their tests are green as things are."""
    made = [Tree(folder / str(number)) for number in range(workers)]
    trees: queue.SimpleQueue[Tree] = queue.SimpleQueue()
    for tree in made:
        trees.put(tree)
    tests = sorted({test for mutation in mutations for test in mutation.tests})

    def green(some: Sequence[str]) -> str:
        tree = trees.get()
        try:
            code, _ = tree.pytest(some, 10 * SECONDS)
            return tree.tail() if code else ""
        finally:
            trees.put(tree)

    def prove(mutation: Mutation) -> Outcome:
        tree = trees.get()
        try:
            return tree.prove(mutation)
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(workers) as pool:
        parts = [part for number in range(workers) if (part := tests[number::workers])]
        if red := "".join(pool.map(green, parts)):
            sys.exit(f"Without any mutation the tests are red already:\n{red}")
        print(f"{len(tests)} tests are green as things are; now each defence is taken out.", flush=True)
        yield from pool.map(prove, mutations)
    for tree in made:
        tree.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each mutation and the count of each row; 1 when one is not proven."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2, help="how many run at the same time")
    parser.add_argument("words", nargs="*", help="only entries that hold one of these words")
    given = parser.parse_args(arguments)
    wanted = [word.lower() for word in given.words]
    chosen = [one for one in load() if not wanted or any(word in str(one).lower() for word in wanted)]
    if stale := faults(chosen):
        print("\n".join(stale), file=sys.stderr)
        return 1
    counts, unproven = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="pynomaly-mutations-") as folder:
        for outcome in run(chosen, given.workers, Path(folder)):
            (counts if outcome.good else unproven)[outcome.mutation.row] += 1
            line = f"{outcome.mutation.row}: {outcome.mutation.defence}"
            print(f"{line:<100} {outcome.seconds:5.1f} s  {outcome.told}", flush=True)
    for row in sorted({one.row for one in chosen}):
        print(f"{counts[row]:4} proven, {unproven[row]} not: {row}")
    print(f"{counts.total()} of {len(chosen)} mutations are seen by a test")
    return 1 if unproven or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
