"""Training rows that are a sample of a larger table, which is scored as a whole."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Frame

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """The sampled rows' numbers in their table of `n_rows`, ascending; `score_all` scores all of its rows."""

    rows: NDArray[np.int64]
    n_rows: int
    score_all: Callable[[Callable[[Frame], Scores]], Scores]

    @property
    def note(self) -> str:
        """What users are told."""
        return (
            f"The table is too large for the memory allowed: the detector learned from a random sample of "
            f"{len(self.rows):,} of its {self.n_rows:,} rows, and scored all of them."
        )
