"""Any source becomes a table: a file, standard input, a frame, an array, columns."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from pynomaly.errors import FileMissing, TableEmpty, UnknownFormat
from pynomaly.tables.chosen import Types
from pynomaly.tables.limits import AS_FOUND, DialectChoice, Limits
from pynomaly.tables.magic import HEAD, Compression, compression_of, format_of
from pynomaly.tables.table import Table
from pynomaly.tables.unpack import check_size, spool, unpack

Reader = Callable[[Path, str, Path, Limits, Types], Table]

FORMATS = ("csv", "tsv", "json", "ndjson", "parquet", "excel")
"""Names that `read` takes as `format`."""


def read(
    source: Any,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    format: str | None = None,  # noqa: A002 - the word users know
) -> Table:
    """Read a table with typed columns.

    `source` is a path, `"-"` (standard input), a binary file object, a pandas, polars or pyarrow frame, a 2-d
    array or list of lists (columns `column_0`, `column_1`, …), or a dict of columns. What a file is, is told
    from its content; `format` (one of csv, tsv, json, ndjson, parquet, excel) overrules that. `name` is used
    in messages.

    Raises TableError or one of its kinds, each saying what is wrong and where; MissingExtra for Excel without
    its reader.

    >>> with read({"amount": [1.5, 2.5, 4.0], "shop": ["a", "b", "a"]}) as table:
    ...     [(column.name, column.type) for column in table.columns], table.rows([2])
    ([('amount', 'number'), ('shop', 'category')], [{'amount': 4.0, 'shop': 'a'}])
    """
    limits = limits or Limits()
    if format is not None and format not in FORMATS:
        raise UnknownFormat(f"There is no format {format!r}; there are: {', '.join(FORMATS)}.")
    folder = Path(tempfile.mkdtemp(prefix="pynomaly-"))
    try:
        table = _read(source, name, folder, limits, format)
        table.memory_mib = limits.memory_mib
        return table
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _read(source: Any, name: str | None, folder: Path, limits: Limits, chosen: str | None) -> Table:
    """Tell files, streams and values in memory apart."""
    if isinstance(source, str) and source == "-":
        source = sys.stdin.buffer
        name = name or "standard input"
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        return read_file(path, name or path.name or str(source), folder, limits, chosen)
    if hasattr(source, "read"):
        path = spool(_binary(source), name or "the stream", folder / "stream", limits)
        return read_file(path, name or "the stream", folder, limits, chosen)
    from pynomaly.tables.frames import read_values

    return read_values(source, folder, limits)


def _binary(stream: Any) -> BinaryIO:
    """Give a stream that reads bytes."""
    stream = getattr(stream, "buffer", stream)
    if isinstance(stream.read(0), str):
        raise UnknownFormat("The file object gives text: open the file in binary mode ('rb').")
    return cast(BinaryIO, stream)


def read_file(
    path: Path,
    name: str,
    folder: Path,
    limits: Limits,
    chosen: str | None = None,
    types: Types | None = None,
    choice: DialectChoice = AS_FOUND,
) -> Table:
    """Read one file, which may be compressed; working files go to `folder`, which the table then owns.

    `chosen` is the file's format, `types` those of some columns and `choice` how delimited text is written,
    when they are not to be found out.
    """
    path = _plain(path, name, folder, limits)
    head = _head(path, name)
    compression = compression_of(head) if chosen != "parquet" else None
    if compression:
        path = unpack(path, name, folder / "unpacked", compression, limits)
        head = _head(path, name)
    check_size(path.stat().st_size, name, limits)
    reader = _reader(chosen or format_of(head, name), choice)
    table = reader(path, name, folder, limits, types or {})
    return _compressed(table, compression)


def _plain(path: Path, name: str, folder: Path, limits: Limits) -> Path:
    """Give a path that DuckDB takes literally: pipes are written to disk, names like `*` are linked."""
    try:
        path = path.resolve(strict=True)
        if path.is_dir():
            raise UnknownFormat(f"{name} is a folder. Give a file.")
        if not path.is_file():
            with path.open("rb") as stream:
                return spool(stream, name, folder / "stream", limits)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise FileMissing(f"There is no file {str(path)!r}.") from error
    except PermissionError as error:
        raise FileMissing(f"{str(path)!r} may not be read: {error.strerror}.") from error
    if any(mark in str(path) for mark in "*?[]{}"):
        link = folder / "source"
        try:
            link.hardlink_to(path)
        except OSError:
            shutil.copyfile(path, link)
        return link
    return path


def _head(path: Path, name: str) -> bytes:
    """Read the beginning of a file; raises TableEmpty when there is none."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except PermissionError as error:
        raise FileMissing(f"{name} may not be read: {error.strerror}.") from error
    if not head:
        raise TableEmpty(f"{name} is empty.")
    return head


def _reader(kind: str, choice: DialectChoice) -> Reader:
    """Give the reader of a format."""
    if kind == "parquet":
        from pynomaly.tables.parquet import read_parquet

        return read_parquet
    if kind in ("json", "ndjson"):
        from pynomaly.tables.records import read_json, read_ndjson

        return read_json if kind == "json" else read_ndjson
    if kind in ("xlsx", "xls", "excel"):
        from pynomaly.tables.excel import read_excel

        return read_excel
    from pynomaly.tables.delimited import read_delimited

    return partial(read_delimited, choice=choice)


def _compressed(table: Table, compression: Compression | None) -> Table:
    """Note the compression in the dialect."""
    if compression and table.dialect:
        table.dialect = replace(table.dialect, compression=compression)
    return table
