"""The report of cells and lines that could not be read: where each is, what it holds, and why it was left out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynomaly.errors import TooManyBadRows
from pynomaly.tables.convert import Conversion
from pynomaly.tables.dialect import Layout
from pynomaly.tables.limits import KEPT_REJECTS, Limits, Reject
from pynomaly.tables.text import ends_after, lines_at

if TYPE_CHECKING:
    import duckdb

SHOWN = 200
"""Characters of a rejected cell or line that are kept."""
LOGGED = 10_000
"""Bytes of a rejected line that DuckDB keeps."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was rejected; `casts` counts the cells of each column that are not of its type, by place."""

    rejects: tuple[Reject, ...] = ()
    n_rejected: int = 0
    n_bad_rows: int = 0
    n_late: int = 0
    casts: dict[int, int] = field(default_factory=dict)

    def check(self, n_rows: int, name: str, limits: Limits) -> None:
        """Raise TooManyBadRows when the bad rows are more than the allowed share; `n_rows` counts the good ones."""
        total = n_rows + self.n_bad_rows
        if self.n_bad_rows <= limits.max_bad_rows * total:
            return
        first = self.rejects[0]
        place = f"line {first.line}" + (f", column {first.column!r}" if first.column else "")
        raise TooManyBadRows(
            f"{self.n_bad_rows:,} of {total:,} rows of {name} cannot be read ({self.n_bad_rows / total:.1%}; at most "
            f"{limits.max_bad_rows:.3g} of all is allowed). The first: {place}: {first.reason}: "
            f"{first.value[:60]!r}.",
            n_bad_rows=self.n_bad_rows,
            n_rows=total,
            rejects=[
                {"line": r.line, "column": r.column, "value": r.value, "reason": r.reason} for r in self.rejects[:20]
            ],
        )


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
    reasons = {
        "UNQUOTED VALUE": "a quote is opened and not closed, or text follows a closed quote",
        "LINE SIZE OVER MAXIMUM": "the line is too long",
        "INVALID ENCODING": "the line is not valid UTF-8",
    }
    return Reject(line, None, text[:SHOWN], reasons.get(kind, "the line is not well formed"))


def with_late(
    connection: "duckdb.DuckDBPyConnection",
    report: Report,
    late: Sequence[Conversion],
    path: Path,
    layout: Layout,
) -> Report:
    """Add the cells that contradict a type found only after loading; their rows are still in `raw`."""
    bad = [conversion for conversion in late if conversion.n_bad]
    if not bad:
        return report
    rows = connection.execute(f"SELECT count(*) FROM raw WHERE {' OR '.join(c.bad for c in bad)}").fetchone()
    n_late = int(rows[0]) if rows else 0
    places = _places(connection, bad, path, layout)
    rejects = sorted([*report.rejects, *places], key=lambda reject: reject.line or 0)[:KEPT_REJECTS]
    return replace(
        report,
        rejects=tuple(rejects),
        n_rejected=report.n_rejected + sum(conversion.n_bad for conversion in bad),
        n_bad_rows=report.n_bad_rows + n_late,
        n_late=n_late,
    )


def _places(
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
