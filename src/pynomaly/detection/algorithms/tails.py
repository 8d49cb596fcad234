"""Tail probabilities of single columns, from what is kept of the training values."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import tail_kernels as kernels
from pynomaly.detection.algorithms.contract import Matrix, State
from pynomaly.detection.algorithms.kernels import Codes, Ints
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import map_columns, run_blocks

AT_ONCE = 8_192
ALL_KEPT = 4_096
"""Up to so many training rows, every value is kept."""

FINE = 256
"""With more rows, so many values at each end are kept, and farther in one whenever the tail has grown by 1 /
256: sixteen times finer than the sampling error of so small a tail."""

MIDDLE = 0.98
STEEPEST = 1e300
CELLS_PER_KNOT = 2

Parts = Callable[[Matrix, Matrix, Matrix], Matrix]
"""Turns -log of the left and of the right tail, and the sorted column, into a column's part of the score."""


@dataclass(frozen=True)
class Tails:
    """Each column's part of the score, as a step function of the value."""

    counts: Ints
    knots: Matrix
    low: Matrix
    inverse: Matrix
    parts: Matrix
    starts: Ints
    guides: Codes

    @classmethod
    def fit(cls, X: Matrix, parts: Parts, progress: Callable[[float], None]) -> Self:
        """Learn the tails of each column of `X`, shape (n, d); one sorted column per thread is held."""
        ranks = kept_ranks(len(X))
        done, lock = [0], Lock()

        def work(j: int) -> tuple[Matrix, Matrix, float, float]:
            column = X[:, j].copy()
            column.sort()
            found = _learn(column, ranks, parts)
            with lock:
                done[0] += 1
                progress(done[0] / X.shape[1])
            return found

        knots, values, low, inverse = zip(*map_columns(work, range(X.shape[1]), len(X)), strict=True)
        return cls._guided(
            np.array([len(own) for own in knots]),
            np.concatenate(knots),
            np.array(low),
            np.array(inverse),
            np.concatenate(values),
        )

    @classmethod
    def _guided(cls, counts: Ints, knots: Matrix, low: Matrix, inverse: Matrix, parts: Matrix) -> Self:
        """Add what the search needs: an infinite knot after each column's, and the guides."""
        ends = np.cumsum(counts)
        padded = np.insert(knots, ends, np.inf)
        sizes = np.column_stack([counts + 1, CELLS_PER_KNOT * counts + 1, 2 * counts + 1])
        starts = np.concatenate([np.zeros((1, 3), np.int64), np.cumsum(sizes, axis=0)])
        guides = np.empty(starts[-1, 1], np.int32)
        for j, end in enumerate(ends):
            guide = guides[starts[j, 1] : starts[j + 1, 1]]
            kernels.fill_guide(knots[end - counts[j] : end], low[j], inverse[j], guide)
        return cls(counts, padded, low, inverse, parts, starts, guides)

    def score(self, X: Matrix, shares: Matrix | None = None) -> Matrix:
        """Sum the parts of each row's columns; write the parts into `shares`, shape (m, d), if given."""
        totals = np.empty(len(X))
        shares = np.empty((0, 0)) if shares is None else shares
        fixed = (self.knots, self.guides, self.starts, self.low, self.inverse, self.parts, shares, totals)

        def work(begin: int, end: int) -> None:
            kernels.add_tails(X, *fixed, begin, end)

        run_blocks(work, len(X), AT_ONCE)
        return totals

    def shares(self, X: Matrix) -> Matrix:
        """Give each column's part, shape (m, d)."""
        shares = np.empty(X.shape)
        self.score(X, shares)
        return shares

    def state(self) -> State:
        """Give the knots and what the score is at and between them."""
        return {
            "counts": self.counts,
            "knots": self.knots[self.knots < np.inf],
            "low": self.low,
            "inverse": self.inverse,
            "parts": self.parts,
        }

    @classmethod
    def from_state(cls, stored: Stored) -> Self:
        """Take the arrays back, checked."""
        counts = stored.take("counts", np.int64, (None,), 1, 2**30)
        d, total = len(counts), int(counts.sum())
        return cls._guided(
            counts,
            stored.take("knots", np.float64, (total,)),
            stored.take("low", np.float64, (d,)),
            stored.take("inverse", np.float64, (d,), 0.0, STEEPEST),
            stored.take("parts", np.float64, (2 * total + d,), -1e6, 1e6),
        )


def kept_ranks(n: int) -> NDArray[np.int64]:
    """Choose which of `n` sorted values are kept: all of few; else fewer and fewer towards the middle.

    >>> len(kept_ranks(4096)), len(kept_ranks(1_000_000))
    (4096, 4401)
    """
    if n <= ALL_KEPT:
        return np.arange(n)
    growth = 1 + 1 / FINE
    steps = np.arange(int(np.log(n / 2 / FINE) / np.log(growth)) + 1)
    side = np.concatenate([np.arange(FINE), (FINE * growth**steps).astype(np.int64)])
    return np.unique(np.concatenate([side, [n // 2], n - 1 - side]))


def _learn(column: Matrix, ranks: NDArray[np.int64], parts: Parts) -> tuple[Matrix, Matrix, float, float]:
    """Give the knots of a sorted column, the parts at and between them, and where its guide lies."""
    n, most = len(column), len(ranks)
    knots, left, right = np.empty(most), np.empty(2 * most + 1), np.empty(2 * most + 1)
    k = kernels.find_knots(column, ranks, knots, left, right)
    tails = np.log(n) - np.log(np.maximum(np.stack([left, right])[:, : 2 * k + 1], 0.5))
    trimmed = int(n * (1 - MIDDLE) / 2)
    low, high = float(column[trimmed]), float(column[n - 1 - trimmed])
    width = high / 2 - low / 2
    with np.errstate(over="ignore"):
        inverse = min(STEEPEST, CELLS_PER_KNOT * k / np.float64(width)) if width > 0 else 0.0
    return knots[:k].copy(), parts(tails[0], tails[1], column), low, float(inverse)
