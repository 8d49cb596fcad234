"""Find rows of a result by a view, straight from the Parquet files: no index, no copy, DuckDB in one thread.

Ranks follow the score, so every condition on scores, p-values and the side of the threshold that a row is on
is an interval of ranks: the file's own statistics skip what lies outside. Only conditions on columns need the
dataset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pynomaly.errors import BadValue
from pynomaly.server.detections.result import READ, ResultRow, filled
from pynomaly.server.detections.view import COLUMN, SORTS, Condition, View
from pynomaly.tables.engine import literal, reading
from pynomaly.tables.paging import LIMITS
from pynomaly.tables.paging import cursor as small_database

_COMPARE = {"eq": "=", "ne": "IS DISTINCT FROM", "lt": "<", "le": "<=", "ge": ">=", "gt": ">"}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A result's files, the dataset's columns (name, type), and how many rows there are and are anomalies."""

    result: Path
    dataset: Path
    columns: Sequence[dict[str, Any]]
    n_rows: int
    n_anomalies: int

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [column["name"] for column in self.columns]

    @property
    def r(self) -> str:
        """The result's rows in SQL."""
        return f"read_parquet({literal(str(self.result))}) r"

    @property
    def d(self) -> str:
        """The dataset's rows in SQL."""
        return f"read_parquet({literal(str(self.dataset))}, file_row_number = true) d"


@dataclass(frozen=True, slots=True)
class Selection:
    """A view as SQL: ranks from `low` to `high`, conditions on the result and on the dataset, an order."""

    of: Ranked
    low: int
    high: int
    on_result: tuple[str, ...]
    on_dataset: tuple[str, ...]
    order: str
    column: str = ""
    """The dataset's column (in SQL) that the order goes by."""

    @property
    def whole(self) -> bool:
        """Whether no rank is left out, by what is known of the result."""
        return self.low == 1 and self.high == self.of.n_rows and not self.on_result

    @property
    def plain(self) -> bool:
        """Whether it is an interval of ranks."""
        return not self.on_result and not self.on_dataset

    def where(self) -> str:
        """Write all conditions on `r` and `d`, as an export joins them."""
        return " AND ".join([f"r.rank BETWEEN {self.low} AND {self.high}", *self.on_result, *self.on_dataset])

    def count(self) -> int:
        """Count the rows."""
        if self.plain:
            return max(0, self.high - self.low + 1)
        if self.whole:
            return int(_read(f"SELECT count(*) FROM {self.of.d} WHERE {' AND '.join(self.on_dataset)}")[0][0])
        return int(_read(f"SELECT count(*) FROM {self.of.r} WHERE {self._within()}")[0][0])

    def page(self, offset: int, limit: int, columns: Sequence[str] | None = None) -> list[ResultRow]:
        """Read `limit` rows after the first `offset`, with these columns' values (None: all)."""
        found = self._found(offset, limit)
        names = self.of.names if columns is None else columns
        return filled(found, self.of.dataset, names, self.of.n_anomalies) if found else []

    def _within(self) -> str:
        """Write the conditions on `r` alone; those on the dataset choose its rows."""
        parts = [f"r.rank BETWEEN {self.low} AND {self.high}", *self.on_result]
        if self.on_dataset:
            chosen = f"SELECT d.file_row_number FROM {self.of.d} WHERE {' AND '.join(self.on_dataset)}"
            parts.append(f"r.row IN ({chosen})")
        return " AND ".join(parts)

    def _found(self, offset: int, limit: int) -> list[tuple[Any, ...]]:
        most = f"LIMIT {limit} OFFSET {offset}"
        if self.column:
            return self._by_column(most)
        if self.plain and self.order.startswith("r.rank"):
            down = self.order.endswith("DESC")
            first = self.high - offset - limit + 1 if down else self.low + offset
            low, high = max(first, self.low), min(first + limit - 1, self.high)
            return _lookup(self.of, f"r.rank BETWEEN {low} AND {high}", self.order)
        if self.plain and self.whole:
            down = self.order.endswith("DESC")
            first = self.of.n_rows - offset - limit if down else offset
            return _lookup(self.of, f"r.row BETWEEN {max(first, 0)} AND {first + limit - 1}", self.order)
        ranks = _read(f"SELECT r.rank FROM {self.of.r} WHERE {self._within()} ORDER BY {self.order} {most}")
        return _in_order(self.of, "rank", [rank for (rank,) in ranks])

    def _by_column(self, most: str) -> list[tuple[Any, ...]]:
        order = f"{self.order}, d.file_row_number {most}"
        if self.whole:
            where = f"WHERE {' AND '.join(self.on_dataset)} " if self.on_dataset else ""
            rows = _read(f"SELECT d.file_row_number FROM {self.of.d} {where}ORDER BY {order}")
            return _in_order(self.of, "row", [row for (row,) in rows])
        joined = f"{self.of.r} JOIN {self.of.d} ON d.file_row_number = r.row WHERE {self.where()}"
        ranks = _read(f"SELECT r.rank FROM {joined} ORDER BY {order}")
        return _in_order(self.of, "rank", [rank for (rank,) in ranks])


def select(of: Ranked, view: View, judged: Sequence[int] = ()) -> Selection:
    """Plan a view; `judged` are the rows with the verdict that it asks for (for "none": with any).

    Raises:
        BadValue: there is no such column or order, or a value is not of the column's type.
    """
    low, high = _ranks(of, view)
    on_result = []
    if view.reason:
        columns = "json_extract_string(r.reasons, '$[*].column')"
        on_result.append(f"r.reasons IS NOT NULL AND list_contains({columns}, {literal(view.reason)})")
    if view.verdict:
        listed = f"[{', '.join(map(str, judged))}]::BIGINT[]"
        on_result.append(f"r.row {'NOT ' if view.verdict == 'none' else ''}IN (SELECT unnest({listed}))")
    on_dataset = tuple(_sql(of, condition) for condition in view.where)
    order, column = _order(of, view.sort)
    return Selection(of, low, high, tuple(on_result), on_dataset, order, column)


def _ranks(of: Ranked, view: View) -> tuple[int, int]:
    """Find the interval of ranks that the conditions on scores leave."""
    low, high = 1, of.n_rows
    if view.only == "anomalies":
        high = of.n_anomalies
    elif view.only == "normal":
        low = of.n_anomalies + 1
    if view.score_from is not None:
        high = min(high, _count(of, "score >= ?", view.score_from))
    if view.p_to is not None:
        high = min(high, _count(of, "p_value <= ?", view.p_to))
    if view.score_to is not None:
        low = max(low, _count(of, "score > ?", view.score_to) + 1)
    return low, high


def _count(of: Ranked, condition: str, value: float) -> int:
    return int(_read(f"SELECT count(*) FROM {of.r} WHERE {condition}", [value])[0][0])


def _order(of: Ranked, sort: str) -> tuple[str, str]:
    down = sort.startswith("-")
    name = sort.removeprefix("-")
    if sort in SORTS and name == "score":
        return f"r.rank{'' if down else ' DESC'}", ""
    if sort in SORTS:
        return f"r.row{' DESC' if down else ''}", ""
    if name.startswith(COLUMN):
        column = _place(of, name.removeprefix(COLUMN), "sort")[0]
        return f"{column} {'DESC' if down else 'ASC'} NULLS LAST", column
    listed = f"{', '.join(SORTS)}, {COLUMN}NAME and -{COLUMN}NAME"
    raise BadValue(f"sort is one of {listed}.", pointer="#/sort", place="query")


def _place(of: Ranked, name: str, field: str) -> tuple[str, str]:
    """Give a column's name in SQL, and its type."""
    for place, column in enumerate(of.columns):
        if column["name"] == name:
            return f"d.c{place}", column["type"]
    raise BadValue(f"There is no column {name[:100]!r}.", pointer=f"#/{field}", place="query")


def _sql(of: Ranked, condition: Condition) -> str:
    """Write a condition on a column; the values are quoted, and numbers are numbers."""
    column, kind = _place(of, condition.column, "where")
    if condition.operator in ("missing", "present"):
        return f"{column} IS {'' if condition.operator == 'missing' else 'NOT '}NULL"
    if condition.operator == "contains":
        return f"contains(lower({column}::VARCHAR), lower({literal(condition.value)}))"
    value = _value(condition, kind)
    cast = "" if kind in ("number", "timestamp") else "::VARCHAR"
    return f"{column}{cast} {_COMPARE[condition.operator]} {value}"


def _value(condition: Condition, kind: str) -> str:
    typed = condition.value.strip()
    try:
        if kind == "number":
            return f"{float(typed)!r}::DOUBLE" if abs(float(typed)) < float("inf") else _refuse(condition)
        if kind == "timestamp":
            when = datetime.fromisoformat(typed)
            naive = when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
            return f"TIMESTAMP {literal(naive.isoformat(sep=' '))}"
    except ValueError:
        return _refuse(condition)
    return literal(condition.value)


def _refuse(condition: Condition) -> str:
    raise BadValue(
        f"{condition.column[:100]} cannot be compared with {condition.value[:100]!r}: it is of another type.",
        pointer="#/where",
        place="query",
    )


def _in_order(of: Ranked, key: str, wanted: list[int]) -> list[tuple[Any, ...]]:
    """Read the rows with these ranks or row numbers, in this order."""
    if not wanted:
        return []
    listed = ", ".join(map(str, wanted))
    within = f"r.{key} BETWEEN {min(wanted)} AND {max(wanted)} AND r.{key} IN ({listed})"
    at = READ.index(key)
    found = {row[at]: row for row in _lookup(of, within, f"r.{key}")}
    return [found[one] for one in wanted]


def _lookup(of: Ranked, where: str, order: str) -> list[tuple[Any, ...]]:
    return _read(f"SELECT {', '.join(READ)} FROM {of.r} WHERE {where} ORDER BY {order}")


def _read(query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with small_database() as connection, reading("The result", LIMITS):
        found: list[tuple[Any, ...]] = connection.execute(query, list(values)).fetchall()
    return found
