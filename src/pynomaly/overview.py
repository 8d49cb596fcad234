"""What a page draws of a result and could not compute by itself: a projection of some of its rows."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynomaly.results import Result

HIGHEST = 500
"""So many of the highest rows are drawn; of the rest an even sample by rank."""
POINTS = 2000
NAMED = 3
"""Columns that an axis is named after."""
MOST_FEATURES = 2000
KEY = "pynomaly.projection"
"""Under what the ranked file keeps it."""


def chosen_ranks(n_rows: int) -> list[int]:
    """Choose the ranks (from 1) that are drawn: the highest, and every so manieth of the rest.

    >>> chosen_ranks(3), len(chosen_ranks(1_000_000))
    ([1, 2, 3], 2000)
    """
    if n_rows <= POINTS:
        return list(range(1, n_rows + 1))
    steps, first = POINTS - HIGHEST - 1, HIGHEST + 1
    return [*range(1, first), *(first + place * (n_rows - first) // steps for place in range(steps + 1))]


def projection(found: "Result") -> dict[str, Any] | None:
    """Project the chosen rows: `points` [rank, row, score, x, y], and what the two axes stand for."""
    import numpy as np  # the API process reads the other names of this module, and imports no NumPy

    from pynomaly.detection.projection import project

    encoder = found.model.encoder
    if found.n_rows == 0 or encoder.width > MOST_FEATURES:
        return None
    ranks = np.array(chosen_ranks(found.n_rows))
    rows = found.order[ranks - 1]
    by_row = np.argsort(rows)
    frame = found.table.sample(rows[by_row].astype(np.int64), found.model.columns)
    projected = project(encoder.transform(frame), ~found.is_anomaly[rows[by_row]])
    if projected is None:
        return None
    points = [
        [int(rank), int(row), _short(found.scores[row], 6), _short(x), _short(y)]
        for rank, row, (x, y) in zip(ranks[by_row], rows[by_row], projected.points, strict=True)
    ]
    axes = [
        {"share": float(share), "columns": _named(weights, encoder.sources, encoder.names)}
        for share, weights in zip(projected.shares, projected.weights, strict=True)
    ]
    return {"points": sorted(points), "axes": axes}


def _named(weights: Any, sources: Any, names: tuple[str, ...]) -> list[str]:
    """Name the columns that weigh most in a component, heaviest first."""
    import numpy as np

    heavy = np.bincount(sources, weights=np.square(weights), minlength=len(names))
    ordered = np.argsort(-heavy, kind="stable")[:NAMED]
    return [names[place] for place in ordered if heavy[place] >= heavy[ordered[0]] / 4]


def _short(value: Any, digits: int = 4) -> float:
    return float(f"{value:.{digits}g}")


def kept(found: "Result") -> dict[str, str]:
    """Give what is kept in the ranked file beside its rows."""
    made = projection(found)
    return {} if made is None else {KEY: json.dumps(made, separators=(",", ":"))}
