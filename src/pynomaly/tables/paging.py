"""Pages of a stored table for the API process: DuckDB only, no NumPy, little memory."""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from pynomaly.errors import SchemaMismatch
from pynomaly.tables.engine import literal
from pynomaly.tables.table import Store, fetch_rows, jsonable, read_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from pynomaly.columns import Column

_opening = Lock()


@cache
def _database() -> "duckdb.DuckDBPyConnection":
    """Open the one small database of this process."""
    import duckdb

    return duckdb.connect(
        config={
            "threads": "1",
            "memory_limit": "128MiB",
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
    """Read `limit` rows from row `offset` on of a file that `ingest` wrote, as JSON values."""
    with cursor() as connection:
        chosen = _choose(connection, Path(path), columns)
        parts = ", ".join(f"c{place}" for place, _ in chosen)
        found = connection.execute(
            f"SELECT {parts} FROM read_parquet({literal(str(path))}) "
            "WHERE file_row_number >= $offset AND file_row_number < $offset + $limit "
            "ORDER BY file_row_number",
            {"offset": offset, "limit": limit},
        ).fetchall()
    names = [column.name for _, column in chosen]
    return [dict(zip(names, map(jsonable, row), strict=True)) for row in found]


def rows_at(
    path: str | Path, indices: "Sequence[int]", columns: "Sequence[str] | None" = None
) -> list[dict[str, Any]]:
    """Read the rows at 0-based `indices`, in that order, of a file that `ingest` wrote, as JSON values."""
    with cursor() as connection:
        chosen = _choose(connection, Path(path), columns)
        store = Store(connection, f"read_parquet({literal(str(path))})", "file_row_number", Path())
        return fetch_rows(store, [column for _, column in chosen], [place for place, _ in chosen], indices)


def _choose(
    connection: "duckdb.DuckDBPyConnection", path: Path, names: "Sequence[str] | None"
) -> "list[tuple[int, Column]]":
    """Look columns up by name; without names, all."""
    columns, _ = read_schema(connection, path)
    if names is None:
        return list(enumerate(columns))
    places = {column.name: place for place, column in enumerate(columns)}
    missing = [name for name in names if name not in places]
    if missing:
        raise SchemaMismatch(f"The table has no column {', '.join(map(repr, missing))}.", missing=missing)
    return [(places[name], columns[places[name]]) for name in names]
