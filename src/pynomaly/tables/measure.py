"""What the numbers of a loaded table are like: missing, infinite, whole, how large. Counted in few passes."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 100
"""Columns that are counted in one query."""
EXACT = 2**53
"""Whole numbers from here on are not exact as DOUBLE."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One column of numbers: how many are NaN, an infinity in it, whether all are whole, the largest."""

    n_nan: int
    infinite: float | None
    whole: bool
    largest: float

    @property
    def storable(self) -> bool:
        """Say whether the numbers are the same as BIGINT."""
        return self.whole and self.infinite is None and self.largest < EXACT

    @property
    def inexact(self) -> bool:
        """Say whether these are whole numbers that DOUBLE cannot hold but BIGINT can."""
        return self.whole and self.infinite is None and EXACT <= self.largest < 2**63


def measure(connection: "duckdb.DuckDBPyConnection", expressions: Mapping[int, str]) -> dict[int, Measured]:
    """Measure the numbers that each SQL expression over `raw` gives; the keys are columns' places."""
    measured: dict[int, Measured] = {}
    items = iter(expressions.items())
    while chunk := list(islice(items, AT_ONCE)):
        # max(abs(v)) is NaN when any is, since NaN is the greatest number in DuckDB.
        inner = ", ".join(f"{sql} AS v{place}" for place, sql in chunk)
        outer = ", ".join(f"coalesce(bool_and(v{p} = trunc(v{p})), false), max(abs(v{p}))" for p, _ in chunk)
        row = connection.execute(f"SELECT {outer} FROM (SELECT {inner} FROM raw)").fetchone() or ()
        for i, (place, sql) in enumerate(chunk):
            whole, largest = row[2 * i], row[2 * i + 1] or 0.0
            odd = largest != largest or largest == float("inf")
            measured[place] = _odd(connection, sql) if odd else Measured(0, None, whole, largest)
    return measured


def _odd(connection: "duckdb.DuckDBPyConnection", sql: str) -> Measured:
    """Measure a column that holds NaN or an infinity."""
    row = connection.execute(
        "SELECT count(*) FILTER (isnan(v)), min(v) FILTER (isinf(v)), "
        "bool_and(v = trunc(v)) FILTER (NOT isnan(v)), max(abs(v)) FILTER (NOT isnan(v)) "
        f"FROM (SELECT {sql} AS v FROM raw)"
    ).fetchone() or (0, None, False, None)
    return Measured(row[0], row[1], bool(row[2]), row[3] or 0.0)
