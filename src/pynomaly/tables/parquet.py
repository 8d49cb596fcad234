"""Parquet files become tables; what a file claims to hold is checked before anything is unpacked."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pynomaly.errors import TableEmpty, TableTooLarge
from pynomaly.tables.build import build, types_of
from pynomaly.tables.chosen import Types, as_text, chosen_conversions, places_of
from pynomaly.tables.convert import PLAIN
from pynomaly.tables.engine import connect, literal, reading
from pynomaly.tables.limits import Dialect, Limits
from pynomaly.tables.names import check_names
from pynomaly.tables.rejects import Report, count_rows, rows_of, with_late
from pynomaly.tables.table import Table
from pynomaly.tables.unpack import check_size

if TYPE_CHECKING:
    import duckdb

CELL = 8
"""Bytes that a cell counts for at least: run-length encoding packs billions of equal cells into a few."""


def read_parquet(path: Path, name: str, folder: Path, limits: Limits, types: Types) -> Table:
    """Read a Parquet file.

    Raises CorruptFile, BadColumns, TableEmpty, TableTooLarge, TooManyBadRows or NonFiniteValue.
    """
    connection = connect(limits, folder, [path])
    file = literal(str(path))
    with reading(name, limits):
        names = _names(connection, file)
        check_names(names, limits)
        _check_claims(connection, file, name, len(names), limits)
        columns = ", ".join(f"c{place}" for place in range(len(names)))
        connection.execute(f"CREATE TABLE raw AS SELECT {columns} FROM read_parquet({file}) AS t({columns})")
        chosen = places_of(types, names)
        kinds = as_text(connection, chosen, types_of(connection, "raw"))
        late = chosen_conversions(connection, chosen, kinds, PLAIN)
        report = with_late(connection, Report(), late, partial(rows_of, connection, names))
        report.check(count_rows(connection) - report.n_late, name, limits)
        return build(
            connection, folder, names, late, report=report, dialect=Dialect(format="parquet"), chosen=chosen
        )


def _names(connection: "duckdb.DuckDBPyConnection", file: str) -> list[str]:
    """List the columns as the file spells them (DuckDB renames those that differ only in case)."""
    elements = connection.execute(f"SELECT name, num_children FROM parquet_schema({file})").fetchall()
    names: list[str] = []
    nested = 0
    for name, children in elements[1:]:  # the first is the root; the others follow in depth-first order
        if nested:
            nested -= 1
        else:
            names.append(name)
        nested += children or 0
    return names


def _check_claims(
    connection: "duckdb.DuckDBPyConnection", file: str, name: str, n_columns: int, limits: Limits
) -> None:
    """Raise when the file says that it has no rows, or more than allowed."""
    size, n_rows = connection.execute(
        f"SELECT (SELECT sum(total_uncompressed_size) FROM parquet_metadata({file})), "
        f"(SELECT sum(num_rows) FROM parquet_file_metadata({file}))"
    ).fetchone() or (0, 0)
    if not n_rows:
        raise TableEmpty(f"{name} has columns but no rows.")
    check_size(size or 0, name, limits)
    if n_rows * n_columns * CELL > limits.max_bytes:
        raise TableTooLarge(
            f"{name} claims {n_rows:,} rows of {n_columns} columns, which is more than the limit.",
            n_rows=n_rows,
            n_columns=n_columns,
        )
