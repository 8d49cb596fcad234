"""CSV and TSV files become tables: every cell is checked, every rejected one is reported."""

import csv
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pynomaly.errors import NonFiniteValue, TableEmpty
from pynomaly.tables.build import build
from pynomaly.tables.cells import MISSING
from pynomaly.tables.chosen import Types, chosen_conversions, places_of
from pynomaly.tables.convert import Conversion, conversions, swallowed
from pynomaly.tables.csv_rejects import find_cells, native_report
from pynomaly.tables.dialect import Layout, reader_options, sniff
from pynomaly.tables.engine import connect, literal, reading
from pynomaly.tables.limits import AS_FOUND, Dialect, DialectChoice, Limits
from pynomaly.tables.measure import Measured, measure
from pynomaly.tables.names import check_names
from pynomaly.tables.rejects import Report, count_rows, with_late
from pynomaly.tables.table import Table
from pynomaly.tables.text import LONGEST_LINE, to_utf8

if TYPE_CHECKING:
    import duckdb

SAMPLE = 1 << 18
"""Characters from which the dialect is told."""


@dataclass(frozen=True, slots=True)
class Delimited:
    """A UTF-8 file with its layout; `name` is what its user calls it."""

    path: Path
    name: str
    layout: Layout

    def query(self, types: list[str], rejects: str) -> str:
        """Write the SQL that reads the file into columns c0, c1, … of `types`."""
        layout = self.layout
        columns = ", ".join(f"'c{place}': '{sql_type}'" for place, sql_type in enumerate(types))
        missing = ", ".join(map(literal, MISSING))
        thousands = f", thousands={literal(layout.thousands)}" if layout.thousands else ""
        return (
            f"FROM read_csv({literal(str(self.path))}, auto_detect=false, compression='none', "
            f"columns={{{columns}}}, "
            f"header={layout.header}, skip={layout.skip}, "
            f"delim={literal(layout.delimiter)}, quote={literal(layout.quote)}, "
            f"escape={literal(layout.escape)}, decimal_separator={literal(layout.decimal)}{thousands}, "
            f"nullstr=[{missing}], max_line_size={LONGEST_LINE}, store_rejects=true, "
            f"rejects_table='{rejects}', rejects_scan='{rejects}_scan')"
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of reading a file into table `raw`."""

    file: Delimited
    types: list[str]
    report: Report
    n_rows: int
    measured: dict[int, Measured]


def read_delimited(
    path: Path,
    name: str,
    folder: Path,
    limits: Limits,
    types: Types,
    choice: DialectChoice = AS_FOUND,
) -> Table:
    """Read an uncompressed file, written as `choice` says.

    Raises TableEmpty, BadColumns, TooManyBadRows, NonFiniteValue, CorruptFile, UnknownFormat or
    TableTooLarge.
    """
    text = to_utf8(path, name, folder, encoding=choice.encoding)
    file = Delimited(text.path, name, _look(text.path, name, choice))
    layout = file.layout
    check_names(layout.names, limits)
    chosen = places_of(types, layout.names)
    connection = connect(limits, folder, [text.path])
    with reading(name, limits):
        loaded = _load(connection, file, chosen, folder, limits)
        loaded.report.check(loaded.n_rows, name, limits)
        late = chosen_conversions(connection, chosen, loaded.types, layout)
        taken = {conversion.place for conversion in late}
        late += [one for one in swallowed(connection, loaded.types, layout) if one.place not in taken]
        late += conversions(connection, _remaining(loaded.types, late, chosen), layout, limits)
        find = partial(find_cells, connection, path=loaded.file.path, layout=layout)
        report = with_late(connection, loaded.report, late, find)
        report.check(loaded.n_rows - report.n_late, name, limits)
        if loaded.n_rows == report.n_late:
            raise TableEmpty(f"{name} has column names but no rows.")
        _refuse_infinite(loaded.file, loaded.measured)
        dialect = _dialect(layout, text.encoding)
        return build(
            connection,
            folder,
            layout.names,
            late,
            report=report,
            dialect=dialect,
            measured=loaded.measured,
            whole=True,
            chosen=chosen,
        )


def _dialect(layout: Layout, encoding: str) -> Dialect:
    return Dialect(
        format="csv",
        delimiter=layout.delimiter,
        quote=layout.quote or None,
        escape=layout.escape or None,
        header=layout.header,
        decimal=layout.decimal,
        thousands=layout.thousands,
        encoding=encoding,
    )


def _remaining(types: list[str], decided: list[Conversion], chosen: Collection[int]) -> list[str]:
    """Give the types, with an empty one for columns that are decided."""
    places = {conversion.place for conversion in decided} | set(chosen)
    return ["" if place in places else sql_type for place, sql_type in enumerate(types)]


def _look(path: Path, name: str, choice: DialectChoice) -> Layout:
    """Tell the layout from the beginning of the file."""
    for size in (SAMPLE, LONGEST_LINE + SAMPLE):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            sample = stream.read(size)
            complete = not stream.read(1)
        if complete or sample.count("\n") + sample.count("\r") > 20:
            break
    if not sample.strip():
        raise TableEmpty(f"{name} is empty.")
    layout = sniff(sample, complete=complete, choice=choice)
    if layout is None:
        raise TableEmpty(f"{name} is empty.")
    return layout


def _load(
    connection: "duckdb.DuckDBPyConnection",
    file: Delimited,
    chosen: Collection[int],
    folder: Path,
    limits: Limits,
) -> Loaded:
    """Read the file into table `raw`, with the types that its columns really have.

    The types guessed from the sample are corrected, and the file read again, when more cells than allowed
    contradict them, or when whole numbers are too large for DOUBLE. Columns whose type
    a person chose are text.
    """
    types = ["VARCHAR" if place in chosen else sql_type for place, sql_type in enumerate(file.layout.types)]
    measured: dict[int, Measured] = {}
    for attempt in count():
        rejects = f"rejects{attempt}"
        file = _attempt(connection, file, types, rejects, folder)
        n_rows = count_rows(connection)
        report = native_report(connection, rejects, file.path, file.layout)
        better = _demoted(types, report, n_rows, limits)
        if better is None:
            measured = measure(connection, {p: f"c{p}" for p, t in enumerate(types) if t == "DOUBLE"})
            better = _exact(types, measured)
        if better is None:
            break
        types = better
    return Loaded(file, types, report, n_rows, measured)


def _attempt(
    connection: "duckdb.DuckDBPyConnection", file: Delimited, types: list[str], rejects: str, folder: Path
) -> Delimited:
    """Read the file into `raw` once; a file with line ends of several kinds is rewritten first."""
    import duckdb

    try:
        connection.execute(f"CREATE OR REPLACE TABLE raw AS {file.query(types, rejects)}")
    except duckdb.InvalidInputException as error:
        if "state machine" not in str(error):
            raise
        file = replace(file, path=_one_line_end(file, folder / "lines"))
        connection.execute(f"CREATE OR REPLACE TABLE raw AS {file.query(types, rejects)}")
    return file


def _one_line_end(file: Delimited, target: Path) -> Path:
    r"""Write the file anew with \n after each row, which keeps the number of its lines."""
    layout = file.layout
    options = reader_options(layout.delimiter, layout.quote, layout.escape)
    with (
        file.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as source,
        target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out,
    ):
        rows = csv.reader(source, **options)
        if layout.quote:
            options["quoting"] = csv.QUOTE_ALL
            csv.writer(out, lineterminator="\n", **options).writerows(rows)
        else:
            out.writelines(layout.delimiter.join(row) + "\n" for row in rows)
    return target


def _demoted(types: list[str], report: Report, n_rows: int, limits: Limits) -> list[str] | None:
    """Make text of the columns whose guessed type too many cells contradict; None when there is none."""
    allowed = limits.max_bad_rows * (n_rows + report.n_bad_rows)
    wrong = {place for place, times in report.casts.items() if times > allowed}
    if not wrong:
        return None
    return ["VARCHAR" if place in wrong else sql_type for place, sql_type in enumerate(types)]


def _exact(types: list[str], measured: dict[int, Measured]) -> list[str] | None:
    """Make BIGINT of the columns of whole numbers that DOUBLE cannot hold; None when there is none."""
    large = {place for place, found in measured.items() if found.inexact}
    if not large:
        return None
    return ["BIGINT" if place in large else sql_type for place, sql_type in enumerate(types)]


def _refuse_infinite(file: Delimited, measured: dict[int, Measured]) -> None:
    """Raise NonFiniteValue for the first infinite number, or number beyond 1.8e308, with its line."""
    for place, found in measured.items():
        if found.infinite is not None:
            name = file.layout.names[place]
            line, value = _find_infinite(file, place)
            raise NonFiniteValue(
                f"Column {name!r} of {file.name} holds {value} in line {line}: infinite, or beyond 1.8e308. "
                "Correct it, or leave the cell empty.",
                column=name,
                line=line,
                value=value,
            )


def _find_infinite(file: Delimited, place: int) -> tuple[int | None, str]:
    """Find the first infinite cell of a column."""
    for line, row in file.layout.rows(file.path):
        if place < len(row) and file.layout.number(row[place]) in (float("inf"), float("-inf")):
            return line, row[place].strip()
    return None, "an infinite number"
