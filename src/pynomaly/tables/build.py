"""Table `raw`, whatever it was loaded from, becomes a Table: stored types, no infinities, types decided."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pynomaly.columns import ColumnType
from pynomaly.errors import NonFiniteValue, TableEmpty
from pynomaly.tables.convert import Conversion
from pynomaly.tables.infer import columns_of
from pynomaly.tables.limits import Dialect
from pynomaly.tables.measure import Measured, measure
from pynomaly.tables.rejects import Report
from pynomaly.tables.table import Store, Table

if TYPE_CHECKING:
    import duckdb

STORED = ("BIGINT", "DOUBLE", "TIMESTAMP", "VARCHAR")
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")
REAL = ("FLOAT", "HUGEINT", "UHUGEINT", "UBIGINT", "DECIMAL", "BIGNUM")


def build(
    connection: "duckdb.DuckDBPyConnection",
    folder: Path,
    names: Sequence[str],
    late: Sequence[Conversion] = (),
    *,
    report: Report | None = None,
    dialect: Dialect | None = None,
    measured: Mapping[int, Measured] | None = None,
    whole: bool = False,
    ids: bool = True,
    chosen: Mapping[int, ColumnType] | None = None,
) -> Table:
    """Make the Table; `late` conversions drop the rows whose cells they reject.

    `measured` holds what is known already of DOUBLE columns that need no conversion; `whole` stores DOUBLE
    columns without fractions as BIGINT (for formats that do not tell 1 from 1.0); `ids` False never takes
    whole numbers for an identifier; `chosen` are the types that a person chose, by place. Raises TableEmpty,
    NonFiniteValue or BadColumns.
    """
    report = report or Report()
    types = types_of(connection, "raw")
    plan = [(kind_of(sql_type), _cast(place, sql_type)) for place, sql_type in enumerate(types)]
    for conversion in late:
        plan[conversion.place] = (conversion.kind, conversion.sql)
    plan = _clean(connection, names, plan, measured or {}, whole)
    bad = " OR ".join(conversion.bad for conversion in late if conversion.n_bad)
    if bad or any(sql != f"c{place}" for place, (_, sql) in enumerate(plan)):
        parts = ", ".join(f"{sql} AS c{place}" for place, (_, sql) in enumerate(plan))
        connection.execute(
            f"CREATE TABLE data AS SELECT {parts} FROM raw" + (f" WHERE NOT ({bad})" if bad else "")
        )
        connection.execute("DROP TABLE raw")
    else:
        connection.execute("ALTER TABLE raw RENAME TO data")
    kinds = [kind for kind, _ in plan]
    found = connection.execute("SELECT count(*) FROM data").fetchone()
    n_rows = int(found[0]) if found else 0
    if n_rows == 0:
        raise TableEmpty
    return Table(
        Store(connection, "data", "rowid", folder),
        columns_of(connection, names, kinds, chosen or {}, ids=ids),
        n_rows,
        rejects=report.rejects,
        n_rejected=report.n_rejected,
        dialect=dialect,
    )


def types_of(connection: "duckdb.DuckDBPyConnection", source: str) -> list[str]:
    """List the DuckDB types of a relation's columns."""
    return [row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]


def kind_of(sql_type: str) -> str:
    """Name the stored type for a DuckDB type.

    >>> kind_of("DECIMAL(18,3)"), kind_of("DATE"), kind_of("BOOLEAN")
    ('DOUBLE', 'TIMESTAMP', 'VARCHAR')
    """
    if sql_type in STORED:
        return sql_type
    if sql_type in WHOLE:
        return "BIGINT"
    if sql_type.startswith(REAL) and not sql_type.endswith("]"):
        return "DOUBLE"
    if sql_type == "DATE" or (sql_type.startswith("TIMESTAMP") and not sql_type.endswith("]")):
        return "TIMESTAMP"
    return "VARCHAR"


def _cast(place: int, sql_type: str) -> str:
    """Write the SQL that stores a column of a DuckDB type."""
    name, kind = f"c{place}", kind_of(sql_type)
    if sql_type == kind:
        return name
    if sql_type == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {name})"
    if sql_type.endswith("]") or sql_type.startswith(("STRUCT", "MAP", "UNION")):
        return f"to_json({name})::VARCHAR"
    return f"{name}::{kind}"


def _clean(
    connection: "duckdb.DuckDBPyConnection",
    names: Sequence[str],
    plan: list[tuple[str, str]],
    measured: Mapping[int, Measured],
    whole: bool,
) -> list[tuple[str, str]]:
    """Turn NaN into missing values, refuse infinities, and store whole numbers as such."""
    unknown = {p: sql for p, (kind, sql) in enumerate(plan) if kind == "DOUBLE" and p not in measured}
    clean = list(plan)
    for place, found in {**measured, **measure(connection, unknown)}.items():
        _, sql = plan[place]
        if found.infinite is not None:
            _refuse(connection, names[place], sql)
        if found.n_nan:
            clean[place] = ("DOUBLE", f"CASE WHEN NOT isnan({sql}) THEN {sql} END")
        elif whole and found.storable:
            clean[place] = ("BIGINT", f"({sql})::BIGINT")
    return clean


def _refuse(connection: "duckdb.DuckDBPyConnection", name: str, sql: str) -> None:
    """Raise NonFiniteValue for a column that holds an infinity."""
    found = connection.execute(
        f"SELECT rowid, v FROM (SELECT rowid, {sql} AS v FROM raw) WHERE isinf(v) ORDER BY 1 LIMIT 1"
    ).fetchone()
    row, value = found or (0, "inf")
    raise NonFiniteValue(
        f"Column {name!r} holds {value} in row {row} (the first is row 0): infinite, or beyond 1.8e308. "
        "Correct it, or leave the cell empty.",
        column=name,
        row=row,
    )
