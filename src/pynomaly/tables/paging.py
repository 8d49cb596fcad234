"""Pages of a stored table for the API process: DuckDB only, no NumPy, little memory."""

import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from pynomaly.errors import FileMissing, SchemaMismatch
from pynomaly.tables.engine import literal, reading
from pynomaly.tables.limits import Limits
from pynomaly.tables.table import Store, fetch_rows, jsonable, read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from pynomaly.columns import Column

LIMITS = Limits(memory_mib=128, threads=1)
_opening = Lock()


@cache
def _database() -> "duckdb.DuckDBPyConnection":
    """Open the one small database of this process."""
    import duckdb

    return duckdb.connect(
        config={
            "threads": str(LIMITS.threads),
            "memory_limit": f"{LIMITS.memory_mib}MiB",
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        }
    )


def cursor() -> "duckdb.DuckDBPyConnection":
    """Give a cursor on this process's small database (1 thread, 128 MiB) for use in one thread."""
    with _opening:
        return _database().cursor()


def page_rows(
    path: str | Path, *, offset: int, limit: int, columns: "Sequence[str] | None" = None
) -> list[dict[str, Any]]:
    """Read `limit` rows from 0-based row `offset` on of a file that `ingest` wrote, as JSON values.

    Raises FileMissing, CorruptFile, or SchemaMismatch when a column is not in the table.
    """
    with _stored(path) as (connection, file), reading(Path(path).name, LIMITS):
        chosen = _choose(connection, file, Path(path).name, columns)
        parts = ", ".join(f"c{place}" for place, _ in chosen)
        found = connection.execute(
            f"SELECT {parts} FROM read_parquet({file}) "
            "WHERE file_row_number >= $offset AND file_row_number < $offset + $limit "
            "ORDER BY file_row_number",
            {"offset": offset, "limit": limit},
        ).fetchall()
    names = [column.name for _, column in chosen]
    return [dict(zip(names, map(jsonable, row), strict=True)) for row in found]


def rows_at(
    path: str | Path, indices: "Sequence[int]", columns: "Sequence[str] | None" = None
) -> list[dict[str, Any]]:
    """Read the rows at 0-based `indices`, in that order, of a file that `ingest` wrote, as JSON values.

    Raises as `page_rows`, and IndexError for a row that is not there.
    """
    with _stored(path) as (connection, file), reading(Path(path).name, LIMITS):
        chosen = _choose(connection, file, Path(path).name, columns)
        store = Store(connection, f"read_parquet({file})", "file_row_number", Path())
        return fetch_rows(store, [column for _, column in chosen], [place for place, _ in chosen], indices)


@contextmanager
def _stored(path: str | Path) -> "Iterator[tuple[duckdb.DuckDBPyConnection, str]]":
    """Give a cursor and the SQL text of a stored file's path, in which `*`, `?` and `[` are literal."""
    if not Path(path).is_file():
        raise FileMissing(f"There is no file {Path(path).name}.")
    with cursor() as connection:
        yield connection, literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def _choose(
    connection: "duckdb.DuckDBPyConnection", file: str, name: str, names: "Sequence[str] | None"
) -> "list[tuple[int, Column]]":
    """Look columns up by name; without names, all."""
    columns, _ = read_schema(connection, file, name)
    if names is None:
        return list(enumerate(columns))
    places = {column.name: place for place, column in enumerate(columns)}
    missing = [name for name in names if name not in places]
    if missing:
        raise SchemaMismatch(f"The table has no column {', '.join(map(repr, missing))}.", missing=missing)
    return [(places[name], columns[places[name]]) for name in names]
