"""What runs in a process of its own to compare the ranked rows of two to five results of one table.

DuckDB reads one result at a time; of each row only its rank and its verdict are kept, nine bytes per result.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynomaly.tables.engine import connect, literal, reading
from pynomaly.tables.limits import Limits

TOP = 20
"""Rows on which the results differ most that are told."""
AT_ONCE = 1_000_000
Ranks = NDArray[np.float64]


def run(payload: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Compare `results` (paths) of `n_rows` rows, of which the first `n_anomalies` of each are flagged."""
    n = payload["n_rows"]
    ranks = [np.empty(n) for _ in payload["results"]]
    flagged = np.zeros(n, dtype=np.uint8)
    limits = Limits(memory_mib=payload["memory_mib"], threads=2)
    files = [Path(path) for path in payload["results"]]
    with connect(limits, Path.cwd(), files) as connection, reading("The result", limits):
        for place, file in enumerate(files):
            found = connection.execute(
                f"SELECT rank, row, score FROM read_parquet({literal(str(file))})"
            ).fetchnumpy()
            scores = np.empty(n)
            rows = np.empty(n, dtype=np.int64)
            scores[found["rank"] - 1], rows[found["rank"] - 1] = found["score"], found["row"]
            ranks[place][rows] = tied_ranks(scores)
            flagged[rows[: payload["n_anomalies"][place]]] |= np.uint8(1 << place)
        rows_apart = most_different(ranks, flagged)
        disputed = most_different(ranks, flagged, some_but_not_all(flagged, len(files)))
        _add_scores(connection, files, [*rows_apart, *disputed])
    return {
        "spearman": correlations(ranks),
        "combinations": np.bincount(flagged, minlength=2 ** len(files)).tolist(),
        "rows": rows_apart,
        "disputed": disputed,
    }


def some_but_not_all(flagged: NDArray[np.uint8], n_results: int) -> NDArray[np.intp]:
    """Give the rows that at least one result flags and another does not.

    >>> some_but_not_all(np.array([0, 1, 2, 3], dtype=np.uint8), 2).tolist()
    [1, 2]
    """
    return np.flatnonzero((flagged != 0) & (flagged != 2**n_results - 1))


def _add_scores(connection: Any, files: list[Path], told: list[dict[str, Any]]) -> None:
    """Put each row's score in each result beside its rank."""
    wanted = sorted({one["row"] for one in told})
    scores: dict[int, list[float]] = {row: [] for row in wanted}
    for file in files if wanted else ():
        found = connection.execute(
            f"SELECT row, score FROM read_parquet({literal(str(file))}) "
            f"WHERE row IN ({', '.join(map(str, wanted))}) ORDER BY row"
        ).fetchall()
        for row, score in found:
            scores[row].append(score)
    for one in told:
        one["scores"] = scores[one["row"]]


def tied_ranks(scores: NDArray[np.float64]) -> Ranks:
    """Rank scores that come in descending order, from 1; equal ones share the mean of their ranks.

    >>> tied_ranks(np.array([9.0, 5.0, 5.0, 1.0])).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]]) if len(scores) else np.zeros(0, np.intp)
    ends = np.r_[starts[1:], len(scores)]
    return np.repeat((starts + 1 + ends) / 2, ends - starts)


def correlations(ranks: list[Ranks]) -> list[list[float | None]]:
    """Spearman's rank correlation of each pair; None where one has only equal scores."""
    n = len(ranks[0])
    sums = np.zeros((len(ranks), len(ranks)))
    for start in range(0, n, AT_ONCE):
        part = np.stack([one[start : start + AT_ONCE] for one in ranks]) - (n + 1) / 2
        sums += part @ part.T
    spread = np.sqrt(np.diag(sums))
    return [
        [
            None if not spread[i] * spread[j] else float(np.clip(sums[i, j] / (spread[i] * spread[j]), -1, 1))
            for j in range(len(ranks))
        ]
        for i in range(len(ranks))
    ]


def most_different(
    ranks: list[Ranks], flagged: NDArray[np.uint8], among: NDArray[np.intp] | None = None
) -> list[dict[str, Any]]:
    """Give the rows whose ranks differ by the greatest factor: the top counts, not the crowd behind.

    Only those `among` some rows, when they are given.
    """
    rows = np.arange(len(flagged)) if among is None else among
    lowest, highest = ranks[0][rows], ranks[0][rows]
    for one in ranks[1:]:
        part = one[rows]
        np.minimum(lowest, part, out=lowest)
        np.maximum(highest, part, out=highest)
    factor = np.divide(highest, lowest, out=highest)
    count = min(TOP, len(factor))
    chosen = np.argpartition(-factor, count - 1)[:count] if count else rows[:0]
    ordered = sorted(chosen.tolist(), key=lambda place: (-factor[place], rows[place]))
    return [
        {
            "row": row,
            "ranks": [float(one[row]) for one in ranks],
            "is_anomaly": [bool(flagged[row] >> place & 1) for place in range(len(ranks))],
        }
        for row, apart in ((int(rows[place]), factor[place]) for place in ordered)
        if apart > 1 or among is not None
    ]
