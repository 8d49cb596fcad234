"""Chooses the rows of a labelled table that an evaluation learns from, and those that it scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Column, ColumnData, Frame, Levels
from pynomaly.detection.encoding import Encoder
from pynomaly.errors import TooFewRows

Protocol = Literal["unsupervised", "one-class"]
UNSUPERVISED: Final = "unsupervised"
ONE_CLASS: Final = "one-class"

Labels = NDArray[np.int8]
Matrix = NDArray[np.float64]

FEWEST_NORMAL = 4
"""Normal rows that one-class evaluation needs: two to learn from, two to score."""


@dataclass(frozen=True, slots=True)
class Split:
    """Encoded rows to learn from, and rows to score with their labels."""

    train: Matrix
    test: Matrix
    labels: Labels
    schema: tuple[Column, ...]


def drawn(frame: Frame, schema: Sequence[Column], labels: Labels, protocol: Protocol, seed: int) -> Split:
    """Choose the rows to learn from and to score, and encode them by what the first ones show.

    unsupervised: all rows, both times. one-class: a random half of the normal rows; the other half and all
    anomalies.

    Raises TooFewRows when there are too few normal rows to halve, and NoUsableColumns.
    """
    if protocol == UNSUPERVISED:
        encoder = Encoder.fit(frame, schema)
        X = encoder.transform(frame)
        return Split(X, X, labels, encoder.schema)
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(labels == 0))
    if len(normal) < FEWEST_NORMAL:
        raise TooFewRows(
            f"One-class evaluation needs at least {FEWEST_NORMAL} normal rows, not {len(normal)}."
        )
    train, rest = np.split(normal, [len(normal) // 2])
    test = np.sort(np.concatenate([rest, np.flatnonzero(labels == 1)]))
    learned = rows_of(frame, np.sort(train))
    encoder = Encoder.fit(learned, schema)
    return Split(
        encoder.transform(learned), encoder.transform(rows_of(frame, test)), labels[test], encoder.schema
    )


def rows_of(frame: Frame, rows: NDArray[np.intp]) -> Frame:
    """Take some rows of a table in memory."""
    taken: dict[str, ColumnData] = {}
    for name, data in frame.items():
        values = data.values
        part = Levels(values.codes[rows], values.levels) if isinstance(values, Levels) else values[rows]
        taken[name] = ColumnData(data.column, part)
    return taken
