"""Columns that a person says how to read: their cells are taken as text and turned into the chosen type."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pynomaly.columns import ColumnType
from pynomaly.errors import BadColumns
from pynomaly.tables.build import kind_of
from pynomaly.tables.cells import FORMATS, MISSING
from pynomaly.tables.convert import Conversion, format_sql, number_sql, timestamp_sql
from pynomaly.tables.dialect import Layout
from pynomaly.tables.engine import literal

if TYPE_CHECKING:
    import duckdb

Types = Mapping[str, ColumnType]
"""The chosen type of each column that has one."""
NUMERIC = ("BIGINT", "DOUBLE")
SAMPLED = 500
TRIED = 3
"""Timestamp formats that are counted in full."""


def places_of(types: Types, names: Sequence[str]) -> dict[int, ColumnType]:
    """Give the chosen types by place; raises BadColumns when the table lacks a column."""
    places = {name: place for place, name in enumerate(names)}
    if unknown := [name for name in types if name not in places]:
        listed = ", ".join(map(repr, unknown[:10]))
        raise BadColumns(f"A type is chosen for {listed}, which the table does not have.", columns=unknown)
    return {places[name]: kind for name, kind in types.items()}


def as_text(
    connection: "duckdb.DuckDBPyConnection", chosen: Mapping[int, ColumnType], types: Sequence[str]
) -> list[str]:
    """Make text of the chosen columns of `raw` that are not of their type yet; gives the types after it."""
    after = list(types)
    for place, kind in chosen.items():
        stored = kind_of(types[place])
        if (kind == "number" and stored in NUMERIC) or (kind == "timestamp" and stored == "TIMESTAMP"):
            continue
        text = _text(f"c{place}", types[place])
        if kind in ("number", "timestamp"):
            missing = ", ".join(map(literal, MISSING))
            text = f"CASE WHEN trim({text}) NOT IN ({missing}) THEN {text} END"
        connection.execute(f"ALTER TABLE raw ALTER c{place} TYPE VARCHAR USING {text}")
        after[place] = "VARCHAR"
    return after


def chosen_conversions(
    connection: "duckdb.DuckDBPyConnection",
    chosen: Mapping[int, ColumnType],
    types: Sequence[str],
    layout: Layout,
) -> list[Conversion]:
    """Say how the chosen columns of `raw` that are text become numbers and timestamps."""
    found = []
    for place, kind in chosen.items():
        if types[place] == "VARCHAR" and kind == "number":
            found.append(Conversion(place, "DOUBLE", number_sql(place, layout), "not a number", 0))
        elif types[place] == "VARCHAR" and kind == "timestamp":
            found.append(_timestamps(connection, place))
    return [replace(one, n_bad=_count(connection, one)) for one in found]


def _text(cell: str, sql_type: str) -> str:
    """Write the SQL that gives a cell as its file would show it: 1 and not 1.0."""
    if sql_type in ("DOUBLE", "FLOAT"):
        whole = f"{cell} = trunc({cell}) AND abs({cell}) < 1e15"
        shown = f"CASE WHEN {whole} THEN {cell}::BIGINT::VARCHAR ELSE {cell}::VARCHAR END"
        return f"CASE WHEN NOT isnan({cell}) THEN {shown} END"
    if sql_type.endswith("]") or sql_type.startswith(("STRUCT", "MAP", "UNION")):
        return f"to_json({cell})::VARCHAR"
    if sql_type == "JSON":
        return f"({cell} ->> '$')"
    return f"{cell}::VARCHAR"


def _timestamps(connection: "duckdb.DuckDBPyConnection", place: int) -> Conversion:
    """Choose the way to read timestamps that fits most cells: ISO 8601, or one of the other formats."""
    options = [Conversion(place, "TIMESTAMP", timestamp_sql(place), "not a timestamp", 0)]
    counts = ", ".join(f"count(try_strptime(v, {literal(pattern)}))" for pattern in FORMATS)
    sample = f"SELECT c{place} AS v FROM raw WHERE c{place} IS NOT NULL LIMIT {SAMPLED}"
    fits = connection.execute(f"SELECT {counts} FROM ({sample})").fetchone() or ()
    ranked = sorted(zip(fits, FORMATS, strict=False), key=lambda pair: -pair[0])[:TRIED]
    options += [
        Conversion(place, "TIMESTAMP", format_sql(place, pattern), f"not a timestamp like {pattern}", 0)
        for times, pattern in ranked
        if times
    ]
    return min(options, key=lambda option: _count(connection, option))


def _count(connection: "duckdb.DuckDBPyConnection", conversion: Conversion) -> int:
    """Count the cells that are not of the type."""
    found = connection.execute(f"SELECT count(*) FROM raw WHERE {conversion.bad}").fetchone()
    return int(found[0]) if found else 0
