"""Pages of the ranked rows of a finished detection.

The result is a Parquet file sorted by rank (1 to n) with the columns `RESULT_COLUMNS`; the values stay in the
dataset's file. A page reads only the row groups it needs of either.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pynomaly.server import positions
from pynomaly.server.datasets.values import values_at
from pynomaly.tables.engine import literal
from pynomaly.tables.paging import cursor as small_database

Sort = Literal["-score", "score", "row", "-row"]
SORTS: tuple[Sort, ...] = ("-score", "score", "row", "-row")
RESULT_COLUMNS = ("rank", "row", "score", "p_value", "is_anomaly", "summary", "reasons", "nearest_normal")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of a result: `rank` 1 is the most anomalous; `values` are the dataset's, by column.

    `summary` and `nearest_normal` are None in rows that have no reasons.
    """

    rank: int
    row: int
    score: float
    p_value: float
    is_anomaly: bool
    summary: str | None
    reasons: list[dict[str, Any]]
    nearest_normal: dict[str, Any] | None
    values: dict[str, Any]


def page(
    result: Path,
    dataset: Path,
    columns: list[str],
    n_rows: int,
    sort: Sort,
    cursor: str | None,
    limit: int,
) -> tuple[list[ResultRow], str | None]:
    """Read one page ordered by `sort`; returns it and the cursor of the next one (None: it is the last)."""
    start = positions.decode(cursor, sort)
    limit = min(limit, n_rows - start)
    if limit <= 0:
        return [], None
    column = "rank" if sort.endswith("score") else "row"
    down = sort in ("score", "-row")
    low = n_rows - start - limit if down else start  # how many rows of the column's order lie before the page
    first = low + 1 if column == "rank" else low  # ranks count from 1, rows from 0
    with small_database() as connection:
        found = connection.execute(
            f"SELECT {', '.join(RESULT_COLUMNS)} FROM read_parquet({literal(str(result))}) "
            f"WHERE {column} BETWEEN {first} AND {first + limit - 1} "
            f"ORDER BY {column} {'DESC' if down else 'ASC'}"
        ).fetchall()
    values = values_at(dataset, columns, [row for _, row, *_ in found])
    items = [
        ResultRow(
            rank=rank,
            row=row,
            score=score,
            p_value=p_value,
            is_anomaly=flagged,
            summary=summary,
            reasons=json.loads(reasons) if reasons else [],
            nearest_normal=json.loads(nearest) if nearest else None,
            values=shown,
        )
        for (rank, row, score, p_value, flagged, summary, reasons, nearest), shown in zip(
            found, values, strict=True
        )
    ]
    end = start + limit
    return items, positions.encode(sort, end) if end < n_rows else None
