"""Loaded columns of any type become the four stored types: BIGINT, DOUBLE, TIMESTAMP and VARCHAR."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pynomaly.errors import NonFiniteValue

if TYPE_CHECKING:
    import duckdb

STORED = ("BIGINT", "DOUBLE", "TIMESTAMP", "VARCHAR")
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")
REAL = ("FLOAT", "HUGEINT", "UHUGEINT", "UBIGINT", "DECIMAL", "BIGNUM")
TIMES = ("DATE", "TIMESTAMP")


def kind_of(sql_type: str) -> str:
    """Name the stored type for a DuckDB type."""
    if sql_type in STORED:
        return sql_type
    if sql_type in WHOLE:
        return "BIGINT"
    if sql_type.startswith(REAL):
        return "DOUBLE"
    if sql_type.startswith(TIMES):
        return "TIMESTAMP"
    return "VARCHAR"


def types_of(connection: "duckdb.DuckDBPyConnection", source: str) -> list[str]:
    """List the DuckDB types of a relation's columns."""
    return [row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]


def settle(
    connection: "duckdb.DuckDBPyConnection", names: Sequence[str], expressions: dict[int, tuple[str, str]]
) -> list[str]:
    """Turn table `raw` into table `data`; `expressions` gives (kind, SQL) for columns already decided.

    Raises NonFiniteValue when a number is infinite.
    """
    types = types_of(connection, "raw")
    plan = [
        expressions.get(place) or (kind_of(sql_type), _cast(place, sql_type))
        for place, sql_type in enumerate(types)
    ]
    if all(sql == f"c{place}" for place, (_, sql) in enumerate(plan)):
        connection.execute("ALTER TABLE raw RENAME TO data")
    else:
        parts = ", ".join(f"{sql} AS c{place}" for place, (_, sql) in enumerate(plan))
        connection.execute(f"CREATE TABLE data AS SELECT {parts} FROM raw")
        connection.execute("DROP TABLE raw")
    kinds = [kind for kind, _ in plan]
    refuse_infinite(connection, names, kinds)
    return kinds


def _cast(place: int, sql_type: str) -> str:
    """Write the SQL that stores a column of a DuckDB type."""
    name, kind = f"c{place}", kind_of(sql_type)
    if sql_type == kind:
        return name
    if sql_type == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {name})"
    return f"{name}::{kind}"


def refuse_infinite(
    connection: "duckdb.DuckDBPyConnection", names: Sequence[str], kinds: Sequence[str]
) -> None:
    """Turn NaN into missing values; raise NonFiniteValue with the place of the first infinity."""
    doubles = [place for place, kind in enumerate(kinds) if kind == "DOUBLE"]
    for start in range(0, len(doubles), 500):
        chunk = doubles[start : start + 500]
        query = ", ".join(f"max(c{place}), min(c{place})" for place in chunk)
        found = connection.execute(f"SELECT {query} FROM data").fetchone() or ()
        for i, place in enumerate(chunk):
            high, low = found[2 * i], found[2 * i + 1]
            if high is not None and high != high:  # NaN is the greatest DOUBLE in DuckDB
                connection.execute(f"UPDATE data SET c{place} = NULL WHERE isnan(c{place})")
                high = low = float("inf")
            if high is not None and (high == float("inf") or low == float("-inf")):
                _refuse(connection, names[place], place)


def _refuse(connection: "duckdb.DuckDBPyConnection", name: str, place: int) -> None:
    """Raise NonFiniteValue for a column that holds an infinity; return when it does not."""
    rows = connection.execute(f"SELECT rowid FROM data WHERE isinf(c{place}) ORDER BY 1 LIMIT 10").fetchall()
    if rows:
        raise NonFiniteValue(
            f"Column {name!r} holds an infinite number (or one beyond 1.8e308) in row {rows[0][0]}. "
            "Remove it or leave the cell empty.",
            column=name,
            rows=[row for (row,) in rows],
        )
