"""Columns loaded as text that are really numbers or timestamps, told from all of their cells."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pynomaly.tables.cells import FORMATS, OTHER_TIMESTAMP
from pynomaly.tables.dialect import Layout
from pynomaly.tables.engine import literal
from pynomaly.tables.limits import Limits

if TYPE_CHECKING:
    import duckdb

SAMPLED = 2000
"""Rows, spread over the table, that decide which types are worth counting in full."""
LIKELY = 0.5
"""Share of the sample's cells from which a type is counted in full."""
MEANT = 0.9
"""Share of cells from which a column is meant to hold a type, and its other cells are errors."""
FEW_LEVELS = 20
"""Text with at most this many different numbers in it may be a category such as 0, 1, 2, "3 or more"."""
HOLDS_ROWS = "a quote takes in lines that look like rows: it is opened here, and closed only below"
SWALLOWED = 3
"""Lines that look like rows from which a cell is taken for a stray quote's doing."""
WIDEST = 50
"""Columns up to which rows are looked for in cells: the pattern grows with them."""
NUMERIC = r'[-+0-9.,eE "]*'
PLAIN = Layout(",", '"', '"', True, ".", None, (), ())
"""Numbers as programs write them."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """How to turn text column c<place> of `raw` into `kind`: `sql` is NULL for `n_bad` cells that are not."""

    place: int
    kind: str
    sql: str
    reason: str
    n_bad: int
    n_hidden: int = 0

    @property
    def bad(self) -> str:
        """The SQL condition of a rejected cell."""
        return f"(c{self.place} IS NOT NULL AND {self.sql} IS NULL)"


def conversions(
    connection: "duckdb.DuckDBPyConnection",
    types: Sequence[str],
    layout: Layout,
    limits: Limits,
    strings: Collection[int] = (),
) -> list[Conversion]:
    """Decide for every text column of `raw`; columns that stay text are not in the list.

    The columns in `strings` are declared to be text: they may be timestamps, but are never taken for numbers.
    """
    texts = [place for place, sql_type in enumerate(types) if sql_type == "VARCHAR"]
    found: list[Conversion] = []
    for start in range(0, len(texts), 200):
        for place, candidates in _likely(connection, texts[start : start + 200], layout).items():
            options = [option for option in candidates if option.kind == "TIMESTAMP" or place not in strings]
            chosen = _choose(connection, place, options, limits) if options else None
            if chosen:
                found.append(chosen)
    return found


def swallowed(
    connection: "duckdb.DuckDBPyConnection", types: Sequence[str], layout: Layout
) -> list[Conversion]:
    """Find cells that hold whole rows: a stray quote takes in all lines up to the next one, as valid CSV."""
    texts = (
        [place for place, sql_type in enumerate(types) if sql_type == "VARCHAR"]
        if 1 < len(types) <= WIDEST
        else []
    )
    found: list[Conversion] = []
    for start in range(0, len(texts), 200):
        chunk = [
            Conversion(p, "VARCHAR", _not_rows(p, types, layout), HOLDS_ROWS, 0)
            for p in texts[start : start + 200]
        ]
        counts = ", ".join(
            f"count(*) FILTER (WHERE {option.bad}), "
            f"coalesce(sum({_lines(option.place)}) FILTER (WHERE {option.bad}), 0)"
            for option in chunk
        )
        row = connection.execute(f"SELECT {counts} FROM raw").fetchone() or ()
        found += [
            replace(option, n_bad=row[2 * i], n_hidden=int(row[2 * i + 1]))
            for i, option in enumerate(chunk)
            if row[2 * i]
        ]
    return found


def _lines(place: int) -> str:
    """Write the SQL that counts the line ends in a cell."""
    return f"(length(c{place}) - length(replace(c{place}, chr(10), '')))"


def _not_rows(place: int, types: Sequence[str], layout: Layout) -> str:
    """Write the SQL that is NULL for a cell whose inner lines look like rows of this table.

    They have as many cells as its columns, and numbers where its columns have them. Without columns of
    numbers to go by, more lines are asked for: prose may have one comma in each of some lines.
    """
    other = f"[^\\n{re.escape(layout.delimiter)}]*"
    row = re.escape(layout.delimiter).join(NUMERIC if kind == "DOUBLE" else other for kind in types)
    least = SWALLOWED if "DOUBLE" in types else 10 * SWALLOWED
    pattern = literal(f"[^\\n]*\\n({row}\\n){{{least},}}[^\\n]*")
    cell = f"c{place}"
    # The cheap conditions spare the pattern nearly all cells.
    return (
        f"CASE WHEN NOT contains({cell}, chr(10)) OR {_lines(place)} <= {least} "
        f"OR NOT regexp_full_match({cell}, {pattern}) THEN {cell} END"
    )


def number_sql(place: int, layout: Layout) -> str:
    """Write the SQL that reads a text column as numbers."""
    cell = f"c{place}"
    plain = f"replace({cell}, {literal(layout.thousands)}, '')" if layout.thousands else cell
    if layout.decimal == ",":
        plain = f"replace({plain}, ',', '.')"
        if layout.thousands is None:
            return f"CASE WHEN {cell} NOT SIMILAR TO '.*[_.].*' THEN try_cast({plain} AS DOUBLE) END"
    return f"CASE WHEN NOT contains({cell}, '_') THEN try_cast({plain} AS DOUBLE) END"


def timestamp_sql(place: int) -> str:
    """Write the SQL that reads a text column as ISO 8601 timestamps, in UTC."""
    return _bounded(f"timezone('UTC', try_cast(c{place} AS TIMESTAMPTZ))")


def format_sql(place: int, pattern: str) -> str:
    """Write the SQL that reads a text column as timestamps of a format."""
    return _bounded(f"try_strptime(c{place}, {literal(pattern)})")


def _bounded(sql: str) -> str:
    """Keep timestamps within the years 1 to 9999, which Python and ISO 8601 can write."""
    return f"CASE WHEN {sql} BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999' THEN {sql} END"


def _likely(
    connection: "duckdb.DuckDBPyConnection", places: Sequence[int], layout: Layout
) -> dict[int, list[Conversion]]:
    """List, for each column, the types that a sample spread over the table speaks for."""
    parts = ", ".join(
        f"count(c{p}), count({number_sql(p, layout)}), count({timestamp_sql(p)}), "
        f"list(c{p}) FILTER (c{p} IS NOT NULL AND length(c{p}) <= 40)"
        for p in places
    )
    step = "greatest(1, (SELECT count(*) FROM raw) // ?)"
    row = connection.execute(f"SELECT {parts} FROM raw WHERE rowid % {step} = 0", [SAMPLED]).fetchone() or ()
    likely: dict[int, list[Conversion]] = {}
    for i, place in enumerate(places):
        present, numbers, timestamps, values = row[4 * i : 4 * i + 4]
        options: list[Conversion] = []
        if numbers >= LIKELY * present:
            options.append(Conversion(place, "DOUBLE", number_sql(place, layout), "not a number", 0))
        if timestamps >= LIKELY * present:
            options.append(Conversion(place, "TIMESTAMP", timestamp_sql(place), "not a timestamp", 0))
        patterns = [] if options or not values else _formats(connection, values)
        options += [
            Conversion(place, "TIMESTAMP", format_sql(place, p), f"not a timestamp like {p}", 0)
            for p in patterns
        ]
        if options:
            likely[place] = options
    return likely


def _formats(connection: "duckdb.DuckDBPyConnection", values: list[str]) -> list[str]:
    """List the timestamp formats (at most 3) that fit most of the values."""
    values = values[:500]
    if sum(OTHER_TIMESTAMP.fullmatch(value) is not None for value in values) < LIKELY * len(values):
        return []
    parts = ", ".join(f"count(try_strptime(v, {literal(pattern)}))" for pattern in FORMATS)
    counts = (
        connection.execute(f"SELECT {parts} FROM (SELECT unnest(?::VARCHAR[]) AS v)", [values]).fetchone()
        or ()
    )
    ranked = sorted(zip(counts, FORMATS, strict=True), key=lambda pair: -pair[0])
    return [pattern for times, pattern in ranked[:3] if times >= LIKELY * len(values)]


def _choose(
    connection: "duckdb.DuckDBPyConnection", place: int, options: list[Conversion], limits: Limits
) -> Conversion | None:
    """Count the likely types in full, and take the one that fits best, if it is meant."""
    counts = ", ".join(f"count({option.sql})" for option in options)
    present, *fits = connection.execute(f"SELECT count(c{place}), {counts} FROM raw").fetchone() or (0,)
    if not present:
        return None
    best = max(range(len(options)), key=lambda i: (fits[i], -i))
    chosen, n_bad = options[best], present - fits[best]
    if n_bad > limits.max_bad_rows * present and not (
        fits[best] >= MEANT * present
        and (chosen.kind == "TIMESTAMP" or _measured(connection, chosen, present))
    ):
        return None
    return replace(chosen, n_bad=n_bad)


def _measured(connection: "duckdb.DuckDBPyConnection", chosen: Conversion, present: int) -> bool:
    """Say whether numbers look measured (fractions, or many different ones), not like codes of a category."""
    found = connection.execute(
        "SELECT count(DISTINCT v), coalesce(bool_and(v = trunc(v)), true) "
        f"FROM (SELECT {chosen.sql} AS v FROM raw)"
    ).fetchone()
    distinct, whole = found or (0, True)
    return bool(not whole or distinct > min(FEW_LEVELS, present // 2))
