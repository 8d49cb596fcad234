"""What DuckDB's CSV reader rejected, and where in the file other rejected cells are."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynomaly.tables.convert import Conversion
from pynomaly.tables.dialect import Layout
from pynomaly.tables.limits import KEPT_REJECTS, Reject
from pynomaly.tables.rejects import SHOWN, Report
from pynomaly.tables.text import ends_after, lines_at

if TYPE_CHECKING:
    import duckdb

LOGGED = 10_000
"""Bytes of a rejected line that DuckDB keeps."""

REASONS = {
    "UNQUOTED VALUE": "a quote is opened and not closed, or text follows a closed quote",
    "LINE SIZE OVER MAXIMUM": "the line is too long",
    "INVALID ENCODING": "the line is not valid UTF-8",
}


def native_report(connection: "duckdb.DuckDBPyConnection", table: str, path: Path, layout: Layout) -> Report:
    """Report what DuckDB's CSV reader rejected."""
    # A line with several missing or surplus cells comes up once for each; the last tells how many it has.
    source = (
        f"(SELECT line_byte_position AS start, error_type::VARCHAR AS kind, "
        f"CASE WHEN error_type = 'CAST' THEN column_idx END AS place, max_by(csv_line, column_idx) AS line, "
        f"max_by(error_message, column_idx) AS message FROM {table} GROUP BY ALL)"
    )
    counted = connection.execute(f"SELECT count(*), count(DISTINCT start) FROM {source}").fetchone()
    if not counted or not counted[0]:
        return Report()
    found = connection.execute(
        f"SELECT start - 1, kind, place, line, message FROM {source} ORDER BY start, place LIMIT {KEPT_REJECTS}"
    ).fetchall()
    casts = connection.execute(f"SELECT place - 1, count(*) FROM {source} WHERE kind = 'CAST' GROUP BY 1").fetchall()
    lines = lines_at(path, [row[0] for row in found])
    rejects = tuple(_reject(line, row, layout) for line, row in zip(lines, found, strict=True))
    swallowed = _swallowed(connection, table, path)
    return Report(rejects, counted[0], counted[1] + swallowed, casts=dict(casts))


def _swallowed(connection: "duckdb.DuckDBPyConnection", table: str, path: Path) -> int:
    """Count the lines that went into quotes which are never closed: each such reject hides many rows."""
    found = connection.execute(
        f"SELECT line_byte_position - 1, csv_line FROM {table} WHERE error_type = 'UNQUOTED VALUE'"
    ).fetchall()
    inside = sum(max(0, line.rstrip("\r\n").count("\n")) for _, line in found if len(line.encode()) < LOGGED)
    cut = [at for at, line in found if len(line.encode()) >= LOGGED]
    return inside + (ends_after(path, min(cut)) - 1 if cut else 0)


def _reject(line: int, row: tuple[Any, ...], layout: Layout) -> Reject:
    """Describe one of DuckDB's rejects."""
    _, kind, place, text, message = row
    column = layout.names[place - 1] if place and place <= len(layout.names) else None
    if kind == "CAST":
        cell = re.search(r'Could not convert string "(.*)" to \'(\w+)', message, re.DOTALL)
        value, sql_type = cell.groups() if cell else (text, "DOUBLE")
        return Reject(line, column, value[:SHOWN], "not a timestamp" if sql_type == "TIMESTAMP" else "not a number")
    widths = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if widths:
        expected, width = widths.groups()
        return Reject(line, None, text[:SHOWN], f"the line has {width} cells where {expected} are expected")
    return Reject(line, None, text[:SHOWN], REASONS.get(kind, "the line is not well formed"))


def find_cells(
    connection: "duckdb.DuckDBPyConnection", bad: Sequence[Conversion], path: Path, layout: Layout
) -> list[Reject]:
    """Find the lines of the first rejected cells by reading the file again, row by row."""
    cells: dict[int, tuple[set[str], str]] = {}
    for conversion in bad:
        name = f"c{conversion.place}"
        found = connection.execute(
            f"SELECT DISTINCT {name} FROM (SELECT {name} FROM raw WHERE {conversion.bad} LIMIT {KEPT_REJECTS})"
        ).fetchall()
        cells[conversion.place] = ({value.strip() for (value,) in found}, conversion.reason)
    rejects: list[Reject] = []
    for line, row in layout.rows(path):
        for place, (values, reason) in cells.items():
            if place < len(row) == len(layout.names) and row[place].strip() in values:
                rejects.append(Reject(line, layout.names[place], row[place][:SHOWN], reason))
        if len(rejects) >= KEPT_REJECTS:
            break
    return rejects
