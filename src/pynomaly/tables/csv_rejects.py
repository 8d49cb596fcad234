"""What DuckDB's CSV reader rejected, and where in the file other rejected cells are."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynomaly.tables.convert import Conversion
from pynomaly.tables.dialect import Layout
from pynomaly.tables.limits import KEPT_REJECTS, Reject
from pynomaly.tables.rejects import SHOWN, Report
from pynomaly.tables.text import lines_at

if TYPE_CHECKING:
    import duckdb

REASONS = {
    "UNQUOTED VALUE": "a quote is opened and not closed, or text follows a closed quote",
    "LINE SIZE OVER MAXIMUM": "the line is too long",
    "INVALID ENCODING": "the line is not valid UTF-8",
}


def native_report(connection: "duckdb.DuckDBPyConnection", table: str, path: Path, layout: Layout) -> Report:
    """Report what DuckDB's CSV reader rejected."""
    # A line with several missing or surplus cells comes up once for each; the last tells how many it has.
    source = (
        "(SELECT line_byte_position - 1 AS start, error_type::VARCHAR AS kind, "
        "CASE WHEN error_type = 'CAST' THEN column_idx END AS place, "
        "max_by(csv_line, coalesce(column_idx, 0)) AS line, "
        f"max_by(error_message, coalesce(column_idx, 0)) AS message FROM {table} GROUP BY ALL)"
    )
    counted = connection.execute(f"SELECT count(*), count(DISTINCT start) FROM {source}").fetchone()
    if not counted or not counted[0]:
        return Report()
    found = connection.execute(
        "SELECT start, kind, place, coalesce(line, ''), coalesce(message, '') "
        f"FROM {source} ORDER BY start, place LIMIT {KEPT_REJECTS}"
    ).fetchall()
    casts = connection.execute(
        f"SELECT place - 1, count(*) FROM {source} WHERE place > 0 GROUP BY 1"
    ).fetchall()
    hidden = {row[0]: layout.lines_from(path, row[0]) - 1 for row in found if row[1] == "UNQUOTED VALUE"}
    lines = lines_at(path, [row[0] for row in found])
    rejects = tuple(
        _reject(line, row, layout, hidden.get(row[0], 0)) for line, row in zip(lines, found, strict=True)
    )
    return Report(rejects, counted[0], counted[1] + sum(hidden.values()), casts=dict(casts))


def _reject(line: int, row: tuple[Any, ...], layout: Layout, hidden: int) -> Reject:
    """Describe one of DuckDB's rejects; `hidden` counts the further lines that it took in."""
    _, kind, place, text, message = row
    if kind == "CAST":
        column = layout.names[place - 1]
        cell = re.search(r'Could not convert string "(.*)" to \'(\w+)', message, re.DOTALL)
        value, sql_type = cell.groups() if cell else (text, "DOUBLE")
        reason = "not a timestamp" if sql_type == "TIMESTAMP" else "not a number"
        return Reject(line, column, value[:SHOWN], reason)
    widths = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if widths:
        expected, width = widths.groups()
        return Reject(line, None, text[:SHOWN], f"the line has {width} cells where {expected} are expected")
    reason = REASONS.get(kind, "the line is not well formed")
    if hidden:
        reason += f"; it takes in the {hidden:,} lines below"
    return Reject(line, None, text[:SHOWN], reason)


def find_cells(
    connection: "duckdb.DuckDBPyConnection", bad: Sequence[Conversion], path: Path, layout: Layout
) -> list[Reject]:
    """Find the lines of the first rejected cells by reading the file again, row by row."""
    cells: dict[int, tuple[set[str], str]] = {}
    for conversion in bad:
        name = f"c{conversion.place}"
        found = connection.execute(
            f"SELECT DISTINCT {name} FROM "
            f"(SELECT {name} FROM raw WHERE {conversion.bad} LIMIT {KEPT_REJECTS})"
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
