"""JSON (an array of objects) and NDJSON (one object in each line) become tables."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pynomaly.errors import BadColumns, CorruptFile, TableEmpty, UnknownFormat
from pynomaly.tables.build import build, types_of
from pynomaly.tables.chosen import Types, as_text, chosen_conversions, places_of
from pynomaly.tables.convert import PLAIN, Conversion, conversions
from pynomaly.tables.engine import connect, first_line, literal, reading
from pynomaly.tables.limits import KEPT_REJECTS, Dialect, Limits, Reject
from pynomaly.tables.names import check_names
from pynomaly.tables.rejects import SHOWN, Report, count_rows, with_late
from pynomaly.tables.table import Table
from pynomaly.tables.text import to_utf8

if TYPE_CHECKING:
    import duckdb

NESTED = ("STRUCT", "MAP", "JSON", "UNION")


def read_json(path: Path, name: str, folder: Path, limits: Limits, types: Types) -> Table:
    """Read an array of objects; keys that an object lacks are missing values.

    Raises CorruptFile, UnknownFormat, BadColumns, TableEmpty, TooManyBadRows, NonFiniteValue or
    TableTooLarge.
    """
    text = to_utf8(path, name, folder, longest_line=None)
    connection = connect(limits, folder, [text.path])
    with reading(name, limits):
        try:
            names = _load(connection, text.path, "array")
        except _not_json() as error:
            _explain(error, text.path, name)
        dialect = Dialect(format="json", encoding=text.encoding)
        return _finish(connection, names, types, folder, limits, name, dialect)


def read_ndjson(path: Path, name: str, folder: Path, limits: Limits, types: Types) -> Table:
    """Read objects, one in each line (or over several lines, when all are good); bad lines are rejected.

    Raises as `read_json`.
    """
    text = to_utf8(path, name, folder, longest_line=None)
    connection = connect(limits, folder, [text.path])
    bad: dict[int, Reject] = {}
    with reading(name, limits):
        try:
            names = _load(connection, text.path, "auto")
        except _not_json() as error:
            n_good, bad = _keep_objects(text.path, folder / "objects")
            if n_good <= len(bad):
                _explain(error, text.path, name)
            _report(bad).check(n_good, name, limits)
            try:
                names = _load(connection, folder / "objects", "newline_delimited")
            except _not_json() as still:  # objects without a single key
                _explain(still, folder / "objects", name)
        dialect = Dialect(format="ndjson", encoding=text.encoding)
        return _finish(connection, names, types, folder, limits, name, dialect, bad, text.path)


def _load(connection: "duckdb.DuckDBPyConnection", path: Path, layout: str) -> list[str]:
    """Read a file of objects into table `loaded`, and give its column names."""
    connection.execute(
        f"CREATE OR REPLACE TABLE loaded AS FROM read_json({literal(str(path))}, format='{layout}', "
        "compression='none', records='true', "
        "sample_size=-1, maximum_depth=2, map_inference_threshold=-1, field_appearance_threshold=0, "
        "convert_strings_to_integers=false)"
    )
    return [row[0] for row in connection.execute("DESCRIBE loaded").fetchall()]


def _not_json() -> tuple[type[Exception], ...]:
    """Give the errors of DuckDB that tell of a malformed file."""
    import duckdb

    return (duckdb.InvalidInputException, duckdb.BinderException, duckdb.ConversionException)


def _explain(error: Exception, path: Path, name: str) -> NoReturn:
    """Raise the error that fits a file that DuckDB refused."""
    message = first_line(error)
    if "maximum_object_size" in message:
        raise error
    with path.open(encoding="utf-8-sig") as stream:
        head = stream.read(1000)
    if re.fullmatch(r"\s*\[\s*\]\s*", head):
        raise TableEmpty(f"{name} is an empty array.") from error
    if "non-record" in message:
        raise UnknownFormat(
            f"{name} is JSON, but not a list of objects with named values. Write one object for each row, "
            'such as [{"amount": 1.5, "shop": "a"}, …].'
        ) from error
    if "duplicate key" in message or "must be unique" in message:
        raise BadColumns(f"{name} has an object with the same key twice: {message}.") from error
    raise CorruptFile(f"{name} is not valid JSON: {message}.") from error


def _keep_objects(path: Path, target: Path) -> tuple[int, dict[int, Reject]]:
    """Copy the lines that are objects to `target`; give their number, and the others by line."""
    bad: dict[int, Reject] = {}
    n_good = 0
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as source, target.open("w") as out:
        for at, line in enumerate(source, 1):
            if not line.strip():
                continue
            reason = _fault(line)
            if reason:
                bad[at] = Reject(at, None, line.strip()[:SHOWN], reason)
            else:
                out.write(line if line.endswith("\n") else line + "\n")
                n_good += 1
    return n_good, bad


def _fault(line: str) -> str | None:
    """Say why a line is not an object; None when it is."""
    try:
        value = json.loads(line, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        return f"not valid JSON: {error.msg} at character {error.colno}"
    except (ValueError, RecursionError) as error:
        return f"not valid JSON: {error}"
    return None if isinstance(value, dict) else "not an object"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict; raises ValueError when a key comes twice or is empty."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    if "" in found:
        raise ValueError("a key is empty")
    return found


def _finish(
    connection: "duckdb.DuckDBPyConnection",
    names: list[str],
    chosen_types: Types,
    folder: Path,
    limits: Limits,
    name: str,
    dialect: Dialect,
    bad: dict[int, Reject] | None = None,
    lines: Path | None = None,
) -> Table:
    """Make the table of what was loaded."""
    if _only_lists(connection):
        raise UnknownFormat(
            f"{name} holds one object whose values are lists or objects. Write one object for each row "
            "(pandas: df.to_json(orient='records'))."
        )
    check_names(names, limits)
    chosen = places_of(chosen_types, names)
    types = _as_text(connection)
    strings = {place for place, sql_type in enumerate(types) if sql_type == "VARCHAR"}
    types = ["VARCHAR" if sql_type == "JSON" else sql_type for sql_type in types]
    late = chosen_conversions(connection, chosen, as_text(connection, chosen, types), PLAIN)
    found = ["" if place in chosen else sql_type for place, sql_type in enumerate(types)]
    late += conversions(connection, found, PLAIN, limits, strings)
    n_rows = count_rows(connection)
    report = with_late(
        connection,
        _report(bad or {}),
        late,
        lambda rejected: _places(connection, rejected, names, bad or {}, lines),
    )
    report.check(n_rows - report.n_late, name, limits)
    return build(connection, folder, names, late, report=report, dialect=dialect, whole=True, chosen=chosen)


def _report(bad: dict[int, Reject]) -> Report:
    """Report the lines that are not objects."""
    return Report(tuple(list(bad.values())[:KEPT_REJECTS]), len(bad), len(bad))


def _only_lists(connection: "duckdb.DuckDBPyConnection") -> bool:
    """Say whether the table is a single row of lists or objects: columns and not rows."""
    found = connection.execute("SELECT count(*) FROM (FROM loaded LIMIT 2)").fetchone()
    types = types_of(connection, "loaded")
    return found == (1,) and all(t.endswith("]") or t.startswith(NESTED) for t in types)


def _as_text(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    """Make table `raw` of `loaded`, with columns c0, c1, …, mixed values as text; give the types."""
    types = types_of(connection, "loaded")
    columns = ", ".join(f"c{place}" for place in range(len(types)))
    parts = ", ".join(
        f"(c{place} ->> '$') AS c{place}" if sql_type == "JSON" else f"c{place}"
        for place, sql_type in enumerate(types)
    )
    connection.execute(f"CREATE TABLE raw AS SELECT {parts} FROM loaded AS t({columns})")
    connection.execute("DROP TABLE loaded")
    return types


def _places(
    connection: "duckdb.DuckDBPyConnection",
    rejected: Sequence[Conversion],
    names: Sequence[str],
    bad: dict[int, Reject],
    lines: Path | None,
) -> list[Reject]:
    """Find the first rejected cells: by line in NDJSON, by row in an array."""
    rejects: list[Reject] = []
    for conversion in rejected:
        found = connection.execute(
            f"SELECT rowid, c{conversion.place} FROM raw WHERE {conversion.bad} "
            f"ORDER BY rowid LIMIT {KEPT_REJECTS}"
        ).fetchall()
        at = _lines(lines, bad, {row for row, _ in found}) if lines else {}
        rejects += [
            Reject(at.get(row), names[conversion.place], value[:SHOWN], f"{conversion.reason} (row {row})")
            for row, value in found
        ]
    return rejects


def _lines(path: Path, bad: dict[int, Reject], rows: set[int]) -> dict[int, int]:
    """Tell the lines of rows; empty when the objects are not one for each line."""
    found: dict[int, int] = {}
    for row, line in enumerate(_good_lines(path, bad)):
        if row in rows:
            found[row] = line
    return found


def _good_lines(path: Path, bad: dict[int, Reject]) -> Iterator[int]:
    """Count off the lines that hold an object."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as stream:
        for at, line in enumerate(stream, 1):
            if line.strip() and at not in bad:
                yield at
