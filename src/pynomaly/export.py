"""Write the scores of all rows to a file: whole or not at all, in the format that the suffix names."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pynomaly.errors import NotWritable, UsageError

if TYPE_CHECKING:
    import duckdb

FORMATS = {
    ".csv": "FORMAT csv, HEADER true",
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".json": "FORMAT json, ARRAY true",
}
"""Suffix -> DuckDB's options for the file."""

Arrays = Mapping[str, NDArray[Any]]


def check_suffix(path: str | Path) -> str:
    """Give the suffix of an output file; raises UsageError when no format goes by it."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"Cannot tell the format of {str(path)!r}: end its name in .csv, .parquet or .json.")
    return suffix


def check_folder(path: str | Path) -> None:
    """Raise NotWritable when there is no folder for a file, or something else is in its place."""
    final = Path(path)
    if not final.parent.is_dir():
        raise NotWritable(f"Cannot write {str(path)!r}: there is no folder {str(final.parent)!r}.")
    if final.is_dir():
        raise NotWritable(f"Cannot write {str(path)!r}: it is a folder.")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path that takes the place of `path` when the body succeeds, and else is removed."""
    final = Path(path)
    temporary = final.with_name(f".{final.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        temporary.replace(final)
    except OSError as error:
        raise NotWritable(f"Cannot write {str(path)!r}: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a whole file, durably."""
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_columns(path: str | Path, columns: Arrays) -> None:
    """Write equally long columns as .csv, .parquet or .json (a list of objects), in the order of the rows."""
    options = FORMATS[check_suffix(path)]
    with replacing(path) as temporary, _database(columns) as database:
        _copy(database, "SELECT * FROM given", temporary, options)


def write_ranked(
    path: str | Path,
    columns: Arrays,
    order: NDArray[Any],
    told: Mapping[str, Mapping[int, str]],
    beside: Mapping[str, str] | None = None,
) -> None:
    """Write a Parquet file with a row for each of `order`, best first: rank (from 1), columns, texts.

    `told` holds columns of text by name, each with the texts of some rows; the others get NULL. `beside` are
    texts that the file keeps beside its rows (its key-value metadata).
    """
    import numpy as np

    ranked = {"rank": np.arange(1, len(order) + 1)} | {name: array[order] for name, array in columns.items()}
    with replacing(path) as temporary, _database(ranked) as database:
        query = "SELECT given.*" + "".join(f", {name}.{name}" for name in told) + " FROM given"
        for name, texts in told.items():
            database.execute(f"CREATE TABLE {name} (row BIGINT, {name} VARCHAR)")
            values = [list(texts), list(texts.values())]
            database.execute(f"INSERT INTO {name} SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])", values)
            query += f" LEFT JOIN {name} USING (row)"
        query += " ORDER BY rank"
        _copy(database, query, temporary, FORMATS[".parquet"] + _beside(beside or {}))


def _beside(texts: Mapping[str, str]) -> str:
    """Write the option that keeps texts in a Parquet file."""
    pairs = ", ".join(f"{_quoted(key, chr(34))}: {_quoted(text)}" for key, text in texts.items())
    return f", KV_METADATA {{{pairs}}}" if texts else ""


def _quoted(text: str, quote: str = "'") -> str:
    return quote + text.replace(quote, 2 * quote) + quote


@contextmanager
def _database(columns: Arrays) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open an empty database that sees `columns` as the table `given`."""
    import duckdb

    settings = {
        "autoinstall_known_extensions": "false",
        "python_enable_replacements": "false",
    }
    with duckdb.connect(config=settings) as database:
        database.execute("SET enable_progress_bar = false")
        database.register("given", dict(columns))
        yield database


def _copy(database: "duckdb.DuckDBPyConnection", query: str, path: Path, options: str) -> None:
    import duckdb

    quoted = str(path).replace("'", "''")
    try:
        database.execute(f"COPY ({query}) TO '{quoted}' ({options})")
    except duckdb.IOException as error:
        raise OSError(str(error).splitlines()[0].rpartition(": ")[2]) from error  # without the temporary path
