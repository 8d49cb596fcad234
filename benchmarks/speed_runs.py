"""Runs the comparisons of `speed.py`, each side in a child of its own, except what would take too long."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from children import run_all
from speed_sides import Took, available, shares, sides, work

REPEATED_SECONDS = 10.0
REPEATS = 5
WARM_ROWS = 2_000
MEMORY_MIB = 20_000
ODD, WIDER = 0.01, 1.25


@dataclass(frozen=True)
class Task:
    """One side of one comparison."""

    algorithm: str
    side: str
    rows: int
    columns: int


def data(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Make the normal matrix that all sides get; 1 % of its rows, which the second array marks, are wider."""
    rng = np.random.default_rng(0)
    X, odd = rng.normal(size=(rows, columns)), rng.random(rows) < ODD
    X[odd] *= WIDER
    return X, odd


def measure(task: Task) -> dict[str, Any]:
    """Time one side: the best of some runs, after one on few rows; the first run's peak memory is read."""
    (X, odd), run = data(task.rows, task.columns), work(task.algorithm, task.side, task.rows * task.columns)
    run(X[:WARM_ROWS])
    took: list[Took] = []
    answer: dict[str, Any] = {"memory": extra_memory(lambda: took.append(run(X))) / X.nbytes}
    while len(took) < REPEATS and sum(t.seconds for t in took if t.share is None) < REPEATED_SECONDS:
        took.append(run(X))
    best = min(took, key=lambda t: t.seconds)
    answer |= asdict(best) | {"processor": min(t.processor for t in took)}
    scores = answer.pop("scores")
    return answer if scores is None else answer | {"auc": auc(scores, odd)}


def auc(scores: np.ndarray, odd: np.ndarray) -> float:
    """Give the area under the ROC curve, ties counted half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(odd, scores))


def extra_memory(run: Callable[[], Any]) -> int:
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
    """All comparisons of some algorithms on some sizes; `limit` is the longest that one side may take."""

    names: list[str]
    sizes: list[tuple[int, int]]
    limit: float
    found: dict[Task, dict[str, Any]] = field(default_factory=dict)

    def run(self) -> Iterator[list[dict[str, Any]]]:
        """Yield each comparison when all its sides are done: one row for a side; ours is the first."""
        for rows, columns in self.sizes:
            for name in self.names:
                tasks = [Task(name, side, rows, columns) for side in sides(name)]
                for task in tasks:
                    self.found[task] = self.found.get(task) or self._one(task)
                yield [asdict(task) | self.found[task] for task in tasks]

    def _one(self, task: Task) -> dict[str, Any]:
        if not available(task.side):
            return {"skipped": "not installed"}
        if self._expected(task) > self.limit:
            return {"skipped": f"over {self.limit:g} s expected"}
        (_, answer), *_ = run_all(measure, iter([task]), 1, self.limit + REPEATED_SECONDS, MEMORY_MIB)
        if "over" in answer:
            return {"skipped": f"over {self.limit:g} s", "at_least": self.limit}
        return {"skipped": answer["failed"]} if "failed" in answer else answer

    def _expected(self, task: Task) -> float:
        """Expect the time to grow from the two largest sizes before as it grew there; else with the cells."""
        done = sorted(
            (t.rows, answer.get("seconds", self.limit * 10))
            for t, answer in self.found.items()
            if (t.algorithm, t.side, t.columns) == (task.algorithm, task.side, task.columns)
            and t.rows < task.rows
        )
        if not done or shares(task.algorithm, task.side, task.rows * task.columns):
            return 0.0
        growth = 1.0
        if len(done) > 1:
            (few, short), (many, long) = done[-2:]
            growth = max(1.0, log(long / short) / log(many / few))
        return float(done[-1][1] * (task.rows / done[-1][0]) ** growth)
