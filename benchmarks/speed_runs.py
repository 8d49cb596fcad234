"""Runs the comparisons of `speed.py`, each in a child of its own; leaves out what would take too long."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from children import run_all
from speed_sides import OURS, available, sides, work

REPEATED_SECONDS = 10.0
REPEATS = 5
WARM_ROWS = 2_000
MEMORY_MIB = 20_000


@dataclass(frozen=True)
class Task:
    """One side of one comparison."""

    algorithm: str
    side: str
    rows: int
    columns: int


def data(rows: int, columns: int) -> np.ndarray:
    """Make the matrix that all sides get."""
    return np.random.default_rng(0).normal(size=(rows, columns))


def measure(task: Task) -> dict[str, Any]:
    """Time one side: the best of some runs after one on few rows; ours first once for its peak memory."""
    X, run = data(task.rows, task.columns), work(task.algorithm, task.side)
    run(X[:WARM_ROWS])
    answer: dict[str, Any] = {}
    if task.side == OURS:
        answer["memory"] = extra_memory(lambda: run(X)) / X.nbytes
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < REPEATED_SECONDS:
        began = time.perf_counter()
        run(X)
        times.append(time.perf_counter() - began)
    return answer | {"seconds": min(times)}


def extra_memory(run: Any) -> int:
    """Give by how many bytes the peak of the resident memory rises above what is there before."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is resident now
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


@dataclass
class Runs:
    """All comparisons of some algorithms on some sizes; `limit` is the longest that one may take."""

    names: list[str]
    sizes: list[tuple[int, int]]
    limit: float
    unlimited: frozenset[tuple[str, str, int, int]] = frozenset()
    found: dict[Task, dict[str, Any]] = field(default_factory=dict)

    def run(self) -> Iterator[list[dict[str, Any]]]:
        """Yield each comparison when all its sides are done: one row for a side."""
        for rows, columns in self.sizes:
            for name in self.names:
                for side in sides(name):
                    task = Task(name, side, rows, columns)
                    self.found[task] = self._one(task)
                yield self._rows(name, rows, columns)

    def _one(self, task: Task) -> dict[str, Any]:
        if not available(task.side):
            return {"skipped": "not installed"}
        free = (task.algorithm, task.side, task.rows, task.columns) in self.unlimited
        expected = self._expected(task)
        if expected > self.limit and not free:
            return {"skipped": f"over {self.limit:g} s expected"}
        seconds = 36_000.0 if free else 2 * self.limit + REPEATED_SECONDS
        (_, answer), *_ = run_all(measure, iter([task]), 1, seconds, MEMORY_MIB)
        return {"skipped": answer["failed"]} if "failed" in answer else answer

    def _expected(self, task: Task) -> float:
        """Expect the time to grow from the two largest sizes before as it grew there; else with the cells."""
        done = sorted(
            (t.rows, answer.get("seconds", self.limit * 10))
            for t, answer in self.found.items()
            if (t.algorithm, t.side, t.columns) == (task.algorithm, task.side, task.columns)
            and t.rows < task.rows
        )
        if not done:
            return 0.0
        growth = 1.0
        if len(done) > 1:
            (few, short), (many, long) = done[-2:]
            growth = max(1.0, log(long / short) / log(many / few))
        return float(done[-1][1] * (task.rows / done[-1][0]) ** growth)

    def _rows(self, name: str, rows: int, columns: int) -> list[dict[str, Any]]:
        own = self.found[Task(name, OURS, rows, columns)].get("seconds", float("nan"))
        table = []
        for side in sides(name):
            answer = self.found[Task(name, side, rows, columns)]
            row = {"algorithm": name, "rows": rows, "columns": columns, "side": side, **answer}
            if side.startswith(("sklearn", "pyod")) and "seconds" in answer:
                row["times"] = answer["seconds"] / own
            table.append(row)
        return table
