"""Excel workbooks become tables: the first sheet that has cells, its first row the column names."""

import re
import zipfile
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynomaly.errors import CorruptFile, MissingExtra, TableEmpty, TableTooLarge
from pynomaly.tables.build import build, types_of
from pynomaly.tables.cells import MISSING
from pynomaly.tables.chosen import Types, as_text, chosen_conversions, places_of
from pynomaly.tables.convert import PLAIN, Conversion, conversions
from pynomaly.tables.engine import connect, reading
from pynomaly.tables.limits import KEPT_REJECTS, MIB, Dialect, Limits, Reject
from pynomaly.tables.names import check_names
from pynomaly.tables.rejects import SHOWN, Report, with_late
from pynomaly.tables.table import Table
from pynomaly.tables.unpack import CHUNK, check_size
from pynomaly.tables.values import as_column

if TYPE_CHECKING:
    import duckdb

CELL = 64
"""Bytes of memory that a cell takes while the sheet is read."""
_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?\br="(\d{1,9})"')
_COLUMN = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,3})\d')


def read_excel(path: Path, name: str, folder: Path, limits: Limits, types: Types) -> Table:
    """Read .xlsx or .xls; needs the extra `excel`.

    Raises MissingExtra, CorruptFile, TableTooLarge, BadColumns, TableEmpty, TooManyBadRows or NonFiniteValue.
    """
    if zipfile.is_zipfile(path):
        _refuse_bombs(path, name, limits)
    lines, rows = _rows(path, name)
    if not rows:
        raise TableEmpty(f"{name} has no cells.")
    names = [_header(cell) for cell in rows[0]]
    check_names(names, limits)
    if len(rows) == 1:
        raise TableEmpty(f"{name} has column names but no rows.")
    columns = [_column([row[place] for row in rows[1:]]) for place in range(len(names))]
    connection = connect(limits, folder)
    with reading(name, limits):
        connection.register(
            "given", {f"c{place}": as_column(values) for place, (values, _) in enumerate(columns)}
        )
        connection.execute("CREATE TABLE raw AS FROM given")
        connection.unregister("given")
        chosen = places_of(types, names)
        kinds = as_text(connection, chosen, types_of(connection, "raw"))
        late = chosen_conversions(connection, chosen, kinds, PLAIN)
        texts = [
            "VARCHAR" if text is not None and place not in chosen else ""
            for place, (_, text) in enumerate(columns)
        ]
        strings = {place for place, (_, text) in enumerate(columns) if text}
        late += conversions(connection, texts, PLAIN, limits, strings)
        find = partial(_places, connection, names, lines[1:])
        report = with_late(connection, Report(), late, find)
        report.check(len(rows) - 1 - report.n_late, name, limits)
        dialect = Dialect(format="excel", header=True)
        return build(
            connection, folder, names, late, report=report, dialect=dialect, whole=True, chosen=chosen
        )


def _refuse_bombs(path: Path, name: str, limits: Limits) -> None:
    """Unpack every part once, counting: raises TableTooLarge for what would not fit into memory when read."""
    room = limits.memory_mib * MIB
    size = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                rows, columns = 0, 0
                with archive.open(part) as stream:
                    tail = b""
                    while piece := stream.read(CHUNK):
                        size += len(piece)
                        check_size(size, name, limits)
                        if part.filename.startswith("xl/worksheets/"):
                            rows, columns = _extent(tail + piece, rows, columns)
                            tail = piece[-200:]
                if rows * columns * CELL > room:
                    raise TableTooLarge(
                        f"A sheet of {name} spans {rows:,} rows and {columns:,} columns, too many for a "
                        "workbook. Save the table as CSV or Parquet.",
                        n_rows=rows,
                        n_columns=columns,
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CorruptFile(f"{name} is damaged or cut short: {error}.") from error


def _extent(xml: bytes, rows: int, columns: int) -> tuple[int, int]:
    """Tell how far down and right the cells of a piece of a sheet reach."""
    rows = max([rows, *map(int, set(_ROW.findall(xml)))])
    return rows, max([columns, *map(_number_of, set(_COLUMN.findall(xml)))])


def _number_of(letters: bytes) -> int:
    """Turn a column's letters into its number.

    >>> _number_of(b"AA")
    27
    """
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _rows(path: Path, name: str) -> tuple[list[int], list[list[Any]]]:
    """Read the first sheet with cells: the rows that are not empty, and their numbers as Excel shows them."""
    try:
        import python_calamine
    except ImportError as error:
        raise MissingExtra(
            "Reading Excel files needs an extra: pip install 'pynomaly-platform[excel]'.", extra="excel"
        ) from error
    try:
        with python_calamine.load_workbook(str(path)) as book:
            for sheet in map(book.get_sheet_by_name, book.sheet_names):
                cells = enumerate(sheet.to_python(skip_empty_area=False), 1)
                found = [(line, row) for line, row in cells if any(cell != "" for cell in row)]
                if found:
                    return _trimmed(found)
    except python_calamine.PasswordError as error:
        raise CorruptFile(f"{name} is protected by a password. Save it without one.") from error
    except python_calamine.CalamineError as error:
        raise CorruptFile(f"{name} cannot be read as an Excel workbook: {error}.") from error
    return [], []


def _trimmed(found: list[tuple[int, list[Any]]]) -> tuple[list[int], list[list[Any]]]:
    """Cut off the empty columns to the left and right of the cells."""
    used = [place for place in range(len(found[0][1])) if any(row[place] != "" for _, row in found)]
    first, last = used[0], used[-1] + 1
    return [line for line, _ in found], [row[first:last] for _, row in found]


def _header(cell: Any) -> str:
    """Write a name; whole numbers without the point that Excel's numbers have."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _column(cells: Sequence[Any]) -> tuple[list[Any], bool | None]:
    """Clean a column; the second value is None for one type that is not text, else whether all is text."""
    values = [None if isinstance(cell, str) and cell.strip() in MISSING else cell for cell in cells]
    kinds = {type(value) for value in values if value is not None}
    if str not in kinds:
        return values, None if len(kinds) <= 1 or kinds <= {int, float} else True
    as_text = [value if value is None or isinstance(value, str) else _header(value) for value in values]
    return as_text, kinds == {str}


def _places(
    connection: "duckdb.DuckDBPyConnection",
    names: Sequence[str],
    lines: Sequence[int],
    rejected: Sequence[Conversion],
) -> list[Reject]:
    """Find the first rejected cells by their row in the sheet."""
    rejects: list[Reject] = []
    for conversion in rejected:
        found = connection.execute(
            f"SELECT rowid, c{conversion.place} FROM raw WHERE {conversion.bad} "
            f"ORDER BY rowid LIMIT {KEPT_REJECTS}"
        ).fetchall()
        rejects += [
            Reject(lines[row], names[conversion.place], v[:SHOWN], conversion.reason) for row, v in found
        ]
    return rejects
