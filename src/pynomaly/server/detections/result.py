"""The ranked rows of a finished detection: pages of them, and whole exports.

The result is a Parquet file sorted by rank (1 to n) with the columns rank, row, score, p_value, is_anomaly
and reasons; the values stay in the dataset's file. A page reads only the row groups it needs of either.
"""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pynomaly import tables
from pynomaly.server import positions
from pynomaly.tables.engine import connect, literal
from pynomaly.tables.limits import Limits
from pynomaly.tables.paging import cursor as small_database

Sort = Literal["-score", "score", "row", "-row"]
SORTS: tuple[Sort, ...] = ("-score", "score", "row", "-row")
Format = Literal["csv", "parquet", "json"]
RESULT_COLUMNS = ("rank", "row", "score", "p_value", "is_anomaly", "reasons")

_one_export = threading.Lock()


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of a result: `rank` 1 is the most anomalous; `values` are the dataset's, by column."""

    rank: int
    row: int
    score: float
    p_value: float
    is_anomaly: bool
    reasons: list[dict[str, Any]]
    values: dict[str, Any]


def page(
    result: Path, dataset: Path, n_rows: int, sort: Sort, cursor: str | None, limit: int
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
    values = tables.rows_at(dataset, [row for _, row, *_ in found])
    items = [
        ResultRow(rank, row, score, p_value, flagged, json.loads(reasons) if reasons else [], shown)
        for (rank, row, score, p_value, flagged, reasons), shown in zip(found, values, strict=True)
    ]
    end = start + limit
    return items, positions.encode(sort, end) if end < n_rows else None


def export(result: Path, dataset: Path, columns: list[str], target: Path, form: Format) -> None:
    """Write all rows by rank, result columns first, then the dataset's, to `target`.

    In CSV, reasons are sentences, and text that a spreadsheet would run as a formula gets an apostrophe in
    front. One export runs at a time: two would need twice the memory.
    """
    limits = Limits(memory_mib=128, threads=1)
    with _one_export, connect(limits, target.parent, [result, dataset]) as connection:
        kinds = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(dataset))})").fetchall()
        names = unique([*RESULT_COLUMNS, *columns])
        sources = [f"r.{name}" for name in RESULT_COLUMNS[:-1]]
        sources.append(_REASONS[form])
        sources += [f"d.{name}" for name, *_ in kinds]
        text = [False] * 5 + [form == "csv"] + [kind == "VARCHAR" for _, kind, *_ in kinds]
        if form == "csv":
            sources = [_harmless(s) if is_text else s for s, is_text in zip(sources, text, strict=True)]
            names = [_harmless_name(name) for name in names]
        chosen = ", ".join(f"{s} AS {_identifier(n)}" for s, n in zip(sources, names, strict=True))
        connection.execute(
            f"COPY (SELECT {chosen} FROM read_parquet({literal(str(result))}) r "
            f"JOIN read_parquet({literal(str(dataset))}, file_row_number = true) d "
            "ON d.file_row_number = r.row "
            f"ORDER BY r.rank) TO {literal(str(target))} ({_OPTIONS[form]})"
        )


_OPTIONS: dict[Format, str] = {
    "csv": "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%f'",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "json": "FORMAT json, ARRAY true, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%f'",
}
_REASONS: dict[Format, str] = {
    "csv": "array_to_string(json_extract_string(r.reasons, '$[*].text'), '; ')",
    "parquet": "r.reasons",
    "json": "coalesce(r.reasons, '[]')::JSON",
}
_FORMULA = r"'^[=+\-@\t\r]'"
_NUMBER = r"'^[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]+)?$'"


def _harmless(source: str) -> str:
    """Write SQL that puts an apostrophe before text that a spreadsheet takes for a formula; numbers stay."""
    runs = f"regexp_matches({source}, {_FORMULA}) AND NOT regexp_matches({source}, {_NUMBER})"
    return f"CASE WHEN {runs} THEN '''' || {source} ELSE {source} END"


def _harmless_name(name: str) -> str:
    return f"'{name}" if name[:1] in "=+-@\t\r" else name


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def unique(names: list[str]) -> list[str]:
    """Number the names that differ from an earlier one in case only, or not at all.

    >>> unique(["row", "score", "Score", "score_2"])
    ['row', 'score', 'Score_3', 'score_2']
    """
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    out = []
    for name in names:
        count = 2
        fresh = name
        while fresh.casefold() in seen or (fresh is not name and fresh.casefold() in taken):
            fresh, count = f"{name}_{count}", count + 1
        seen.add(fresh.casefold())
        out.append(fresh)
    return out
