"""A look at the beginning of a file before it is read: how it is written, its columns, its first rows."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pynomaly.columns import Column
from pynomaly.errors import TooManyBadRows
from pynomaly.tables.chosen import Types
from pynomaly.tables.limits import AS_FOUND, Dialect, DialectChoice, Limits, Reject
from pynomaly.tables.magic import HEAD, compression_of, format_of
from pynomaly.tables.read import read_file
from pynomaly.tables.table import Table
from pynomaly.tables.unpack import packed_head

SEEN = 4 * 1024 * 1024
"""Bytes of a text file, unpacked, that are looked at; formats that are no lines of text are read whole."""
ROWS = 20
SHOWN = 200
"""Characters of a cell that are shown."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the beginning of a file shows; `complete`: it is the whole file.

    `rows` are the first rows as JSON values in the order of the columns; `too_many` says that more rows than
    allowed cannot be read this way.
    """

    columns: tuple[Column, ...]
    dialect: Dialect | None
    rows: list[list[Any]]
    n_rows: int
    complete: bool
    rejects: tuple[Reject, ...]
    n_rejected: int
    too_many: bool


def preview(
    source_path: str | Path,
    *,
    filename: str,
    limits: Limits | None = None,
    types: Types | None = None,
    choice: DialectChoice = AS_FOUND,
) -> Preview:
    """Read the beginning of the file at `source_path` as `ingest` would read all of it.

    Raises:
        TableError: it cannot be read at all.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="pynomaly-preview-") as scratch:
        folder = Path(scratch)
        path, complete = _beginning(Path(source_path), filename, folder)

        def read(bounds: Limits) -> Table:
            own = Path(tempfile.mkdtemp(dir=folder))
            return read_file(path, filename, own, bounds, types=types, choice=choice)

        table, too_many = _read(read, limits)
        with table:
            names = [column.name for column in table.columns]
            packed = compression_of(_head(Path(source_path)))
            return Preview(
                columns=table.columns,
                dialect=replace(table.dialect, compression=packed) if table.dialect else None,
                rows=[
                    [_short(row[name]) for name in names] for row in table.rows(range(min(ROWS, len(table))))
                ],
                n_rows=len(table),
                complete=complete,
                rejects=table.rejects[:ROWS],
                n_rejected=table.n_rejected,
                too_many=too_many,
            )


def _read(read: Callable[[Limits], Table], limits: Limits) -> tuple[Table, bool]:
    """Read it; when too many rows are bad, read those that are not, and say so."""
    try:
        return read(limits), False
    except TooManyBadRows:
        return read(replace(limits, max_bad_rows=1.0)), True


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD)


def _beginning(path: Path, name: str, folder: Path) -> tuple[Path, bool]:
    """Cut a text file after its first lines; gives the file to read and whether nothing was cut off."""
    head = _head(path)
    packed = compression_of(head)
    if packed is None and (path.stat().st_size <= SEEN or format_of(head, name) not in ("csv", "ndjson")):
        return path, True
    content = packed_head(path, name, packed, SEEN + 1)
    if len(content) <= SEEN or format_of(content[:HEAD], name) not in ("csv", "ndjson"):
        return path, True
    content = content[:SEEN]
    if content.count(0) < len(content) // 10:  # else two bytes a character: a line end is no single byte
        content = content[: content.rfind(b"\n") + 1] or content
    target = folder / "beginning"
    target.write_bytes(content)
    return target, False


def _short(value: Any) -> Any:
    return value[:SHOWN] if isinstance(value, str) else value
