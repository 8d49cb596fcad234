"""What each loaded column is: number, category, timestamp, text, id-like or constant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pynomaly.columns import Column, ColumnType
from pynomaly.errors import BadColumns

if TYPE_CHECKING:
    import duckdb

Kind = Literal["BIGINT", "DOUBLE", "TIMESTAMP", "VARCHAR"]

NEARLY_ALL = 0.95
"""Share of distinct values from which a column counts as nearly all distinct."""
SOME_ROWS = 10
"""With fewer present values, being all different says nothing."""
DENSE = 1.1
"""Consecutive integers may leave this many times fewer values than their range has."""
FEW_LEVELS = 20
"""Up to this many levels, text is always a category (unless nearly all distinct)."""
MANY_LEVELS = 65_536
"""Above this many levels, text is never a category."""
LONG_TEXT = 256
"""A column with a longer cell (in characters) is free text."""
CHOSEN_UNUSED = {"id": "chosen to be an identifier", "text": "chosen to be free text"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was counted in one stored column (`present`: not missing; what follows is over those)."""

    rows: int
    present: int
    low: object = None
    high: object = None
    whole: bool = False
    distinct: int = 0
    longest: int = 0


def columns_of(
    connection: "duckdb.DuckDBPyConnection",
    names: Sequence[str],
    kinds: Sequence[str],
    chosen: Mapping[int, ColumnType],
    *,
    ids: bool = True,
) -> tuple[Column, ...]:
    """Decide the type of every column of table `data`, but for those that are chosen, by place.

    `ids` False never takes integers for an identifier. Raises BadColumns.
    """
    facts = count(connection, kinds)
    return tuple(
        _chosen(connection, place, name, fact, chosen[place])
        if place in chosen
        else _numeric(connection, place, name, fact, ids)
        if kind in ("DOUBLE", "BIGINT")
        else _timestamp(name, fact)
        if kind == "TIMESTAMP"
        else _textual(connection, place, name, fact)
        for place, (name, kind, fact) in enumerate(zip(names, kinds, facts, strict=True))
    )


def count(connection: "duckdb.DuckDBPyConnection", kinds: Sequence[str]) -> list[Facts]:
    """Count all columns in as few passes as there are hundreds of columns."""
    facts: list[Facts] = []
    for start in range(0, len(kinds), 100):
        chunk = range(start, min(start + 100, len(kinds)))
        query = ", ".join(_counts(place, kinds[place]) for place in chunk)
        rows, *counted = connection.execute(f"SELECT count(*), {query} FROM data").fetchone() or (0,)
        facts += [Facts(rows, *counted[6 * i : 6 * i + 6]) for i in range(len(chunk))]
    return facts


def _counts(place: int, kind: str) -> str:
    """Write the six aggregates of one column."""
    c = f"c{place}"
    if kind == "VARCHAR":
        longest = f"coalesce(max(length({c})), 0)"
        return f"count({c}), min({c}), max({c}), false, approx_count_distinct({c}), {longest}"
    whole = f"coalesce(bool_and({c} = trunc({c})), false)" if kind == "DOUBLE" else "true"
    return f"count({c}), min({c}), max({c}), {whole}, 0, 0"


def _exact_distinct(connection: "duckdb.DuckDBPyConnection", place: int) -> int:
    """Count distinct values exactly."""
    found = connection.execute(f"SELECT count(DISTINCT c{place}) FROM data").fetchone()
    return int(found[0]) if found else 0


def _constant(name: str, fact: Facts) -> Column | None:
    """Say why a column without variation is unused."""
    if fact.present == 0:
        return Column(name, "constant", "every value is missing")
    if fact.low == fact.high and fact.present == fact.rows:  # else whether it is there may tell something
        return Column(name, "constant", "every value is the same")
    return None


def _numeric(
    connection: "duckdb.DuckDBPyConnection", place: int, name: str, fact: Facts, ids: bool
) -> Column:
    """Number, unless constant or consecutive integers that are nearly all distinct."""
    constant = _constant(name, fact)
    if constant or not (ids and fact.whole and fact.present >= SOME_ROWS):
        return constant or Column(name, "number")
    span = int(fact.high) - int(fact.low) + 1  # type: ignore[call-overload]
    if span < NEARLY_ALL * fact.present or span > DENSE * fact.present + 1:
        return Column(name, "number")
    distinct = _exact_distinct(connection, place)
    if distinct < NEARLY_ALL * fact.present or span > DENSE * distinct:
        return Column(name, "number")
    return Column(name, "id", "consecutive whole numbers, nearly all different: an identifier")


def _chosen(
    connection: "duckdb.DuckDBPyConnection", place: int, name: str, fact: Facts, kind: ColumnType
) -> Column:
    """Take the type that was chosen, unless nothing varies; raises BadColumns for a category that is none."""
    if constant := _constant(name, fact):
        return constant
    if kind == "category" and (levels := _exact_distinct(connection, place)) > MANY_LEVELS:
        raise BadColumns(
            f"Column {name!r} has {levels:,} different values; a category has {MANY_LEVELS:,} at most.",
            columns=[name],
        )
    return Column(name, kind, CHOSEN_UNUSED.get(kind))


def _timestamp(name: str, fact: Facts) -> Column:
    """Timestamp, unless constant."""
    return _constant(name, fact) or Column(name, "timestamp")


def _textual(connection: "duckdb.DuckDBPyConnection", place: int, name: str, fact: Facts) -> Column:
    """Category when values repeat, id when nearly none does, free text between and for long cells."""
    constant = _constant(name, fact)
    if constant:
        return constant
    distinct = fact.distinct
    if distinct > 0.4 * fact.present or distinct > 0.9 * MANY_LEVELS:
        distinct = _exact_distinct(connection, place)
    if fact.longest > LONG_TEXT:
        return Column(name, "text", f"free text: the longest cell has {fact.longest} characters")
    if distinct >= NEARLY_ALL * fact.present and fact.present >= SOME_ROWS:
        return Column(name, "id", "text that is nearly all different: an identifier")
    if distinct <= max(FEW_LEVELS, fact.present // 2) and distinct <= MANY_LEVELS:
        return Column(name, "category")
    return Column(name, "text", f"free text: {distinct} different values in {fact.present} rows")
