"""Reads of a table what memory allows: all rows or a sample to train on, and blocks of rows to score."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Frame
from pynomaly.detection.algorithms.threads import run_blocks, thread_count
from pynomaly.tables import Table

MIB = 1024 * 1024
CELL = 8
BLOCK_CELLS = 1_000_000
BLOCK_ROWS = 65_536
"""A table is scored in blocks of at most so many rows and cells, to bound memory."""

Scores = NDArray[np.float64]
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Drawn:
    """The training rows of a table: their values and, when they are a sample, their numbers, ascending."""

    frame: Frame
    rows: NDArray[np.int64] | None = None


def training_rows(table: Table, names: list[str], most: int, seed: int) -> Drawn:
    """Read all rows if they and their matrix fit into `table.memory_mib`, else a sample of at most `most`."""
    fitting = table.memory_mib * MIB // (2 * CELL * max(len(names), 1))
    if table.n_rows <= fitting:
        return Drawn(table.frame(names))
    size = max(2, min(most, fitting))
    rows = np.sort(np.random.default_rng(seed).choice(table.n_rows, size, replace=False, shuffle=False))
    return Drawn(table.sample(rows, names), rows)


def score_blocks(
    table: Table, names: Iterable[str], score: Callable[[Frame], Scores], tell: Tell | None = None
) -> Scores:
    """Score all rows, shape (n,), in blocks, side by side if there are many; `tell` is told how far it is."""
    names, n = list(names), table.n_rows
    size = max(1, min(BLOCK_ROWS, BLOCK_CELLS // max(len(names), 1)))
    fetch = table.reader(names)
    scores = np.empty(n)

    def work(begin: int, end: int) -> None:
        scores[begin:end] = score(fetch(begin, end))

    def told(share: float) -> None:
        if tell:
            tell(share, f"Scoring: {round(share * n):,} of {n:,} rows")

    if n >= 2 * size * thread_count():
        run_blocks(work, n, size, told)
        return scores
    for begin in range(0, n, size):  # few blocks: each is scored on all threads
        end = min(n, begin + size)
        work(begin, end)
        told(end / n)
    return scores
