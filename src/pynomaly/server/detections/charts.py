"""The numbers behind a result page's charts, read from the Parquet files by DuckDB; no NumPy in this process.

Files never change once they are written, so what was read of them is kept for the next look at the page. The
projection alone is worked out when the result is written, where NumPy and the model's encoder are: see
`pynomaly.overview`.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pynomaly.overview import KEY, chosen_ranks
from pynomaly.server.detections.search import Ranked
from pynomaly.tables.engine import literal, reading
from pynomaly.tables.paging import LIMITS
from pynomaly.tables.paging import cursor as small_database

BUCKETS = 80
"""Bars of a timeline."""
CURVE_POINTS = 200
EXACT = 250
"""So many of the highest scores are told one by one."""
TRUE = ("1", "1.0", "true", "yes", "anomaly")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """Rows as points: (rank, row, score, x, y), and what the axes stand for (projection: `axes`)."""

    points: tuple[Row, ...]
    x: str = ""
    y: str = ""
    axes: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """Buckets of equal length: (start in seconds since 1970, rows, highest score, anomalies)."""

    column: str
    seconds: float
    buckets: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How the ranking agrees with labels: points (rank, true positives so far), and the totals."""

    column: str
    n_rows: int
    n_positive: int
    curve: tuple[tuple[int, int], ...]
    found: int
    n_flagged: int

    @property
    def confusion(self) -> tuple[int, int, int, int]:
        """True positives, false positives, missed ones, true negatives at the threshold."""
        wrong = self.n_flagged - self.found
        missed = self.n_positive - self.found
        return self.found, wrong, missed, self.n_rows - self.n_positive - wrong


def drawable(of: Ranked) -> list[str]:
    """Name the columns that an axis can have."""
    return [column["name"] for column in of.columns if column["type"] in ("number", "timestamp")]


def timed(of: Ranked) -> list[str]:
    """Name the columns that hold times."""
    return [column["name"] for column in of.columns if column["type"] == "timestamp"]


def projection(of: Ranked) -> Points | None:
    """Read the projection that was written with the result; None: there is none."""
    return _projection(str(of.result))


def scatter(of: Ranked, x: str, y: str) -> Points:
    """Read two columns of the rows that are drawn; rows that lack a value in one are left out."""
    return _scatter(of.r, of.d, of.n_rows, (x, _seconds(of, x)), (y, _seconds(of, y)))


def timeline(of: Ranked, column: str) -> Timeline | None:
    """Count rows and anomalies over time; None when no row has a time."""
    return _timeline(of.r, of.d, of.n_anomalies, column, _seconds(of, column))


def quality(of: Ranked, label: str) -> Quality | None:
    """Measure the ranking against a label column; None when no row is labelled an anomaly."""
    if label not in of.names:
        return None
    column = f"d.c{of.names.index(label)}"
    curve = _curve(of.r, of.d, column)
    if not curve:
        return None
    found = _found(of.r, of.d, of.n_anomalies, column)
    return Quality(label, of.n_rows, curve[-1][1], curve, found, of.n_anomalies)


@lru_cache(maxsize=64)
def highest_scores(r: str) -> tuple[float, ...]:
    """Read the highest scores, best first."""
    return tuple(score for (score,) in _read(f"SELECT score FROM {r} WHERE rank <= {EXACT} ORDER BY rank"))


@lru_cache(maxsize=32)
def _projection(file: str) -> Points | None:
    found = _read(f"SELECT value FROM parquet_kv_metadata({literal(file)}) WHERE key = {literal(KEY)}")
    if not found:
        return None
    kept = json.loads(found[0][0])
    return Points(tuple(map(tuple, kept["points"])), axes=tuple(kept["axes"]))


@lru_cache(maxsize=32)
def _scatter(r: str, d: str, n_rows: int, x: tuple[str, str], y: tuple[str, str]) -> Points:
    ranked = _read(
        f"SELECT rank, row, score FROM {r} WHERE {_among('rank', chosen_ranks(n_rows))} ORDER BY rank"
    )
    values = _read(
        f"SELECT d.file_row_number, {x[1]}, {y[1]} FROM {d} "
        f"WHERE {_among('d.file_row_number', [row for _, row, _ in ranked])}"
    )
    at = {row: (left, up) for row, left, up in values if left is not None and up is not None}
    return Points(tuple((*one, *at[one[1]]) for one in ranked if one[1] in at), x[0], y[0])


def _among(column: str, numbers: list[int]) -> str:
    """Write a condition on many numbers; a table of them is quicker than a list."""
    return f"{column} IN (SELECT unnest([{', '.join(map(str, numbers))}]::BIGINT[]))"


@lru_cache(maxsize=32)
def _timeline(r: str, d: str, n_anomalies: int, column: str, seconds: str) -> Timeline | None:
    low, high = _read(f"SELECT min({seconds}), max({seconds}) FROM {d}")[0]
    if low is None:
        return None
    step = max((high - low) / BUCKETS, 1e-6)
    found = _read(
        f"SELECT least(floor(({seconds} - {low!r}) / {step!r})::BIGINT, {BUCKETS - 1}) AS bucket, count(*), "
        f"max(r.score), count(*) FILTER (r.rank <= {n_anomalies}) "
        f"FROM {r} JOIN {d} ON d.file_row_number = r.row "
        f"WHERE {seconds} IS NOT NULL GROUP BY bucket ORDER BY bucket"
    )
    return Timeline(column, step, tuple((low + place * step, *rest) for place, *rest in found))


@lru_cache(maxsize=32)
def _curve(r: str, d: str, column: str) -> tuple[tuple[int, int], ...]:
    """Rank the labelled anomalies: (rank, how many up to it), some 200 of them, the last one last."""
    found = _read(f"SELECT count(*) FROM {d} WHERE {_positive(column)}")
    total = int(found[0][0])
    step = max(1, total // CURVE_POINTS)
    ranked = f"SELECT rank, row_number() OVER (ORDER BY rank) AS n FROM {r} WHERE {_labelled(d, column)}"
    chosen = f"n = 1 OR n = {total} OR n % {step} = 0"
    return tuple(
        (rank, n) for rank, n in _read(f"SELECT rank, n FROM ({ranked}) WHERE {chosen} ORDER BY rank")
    )


@lru_cache(maxsize=64)
def _found(r: str, d: str, n_flagged: int, column: str) -> int:
    """Count the labelled anomalies among the first ranks."""
    return int(_read(f"SELECT count(*) FROM {r} WHERE rank <= {n_flagged} AND {_labelled(d, column)}")[0][0])


def _labelled(d: str, column: str) -> str:
    return f"row IN (SELECT d.file_row_number FROM {d} WHERE {_positive(column)})"


def _positive(column: str) -> str:
    return f"lower(trim({column}::VARCHAR)) IN ({', '.join(map(literal, TRUE))})"


def _seconds(of: Ranked, column: str) -> str:
    """Write a column as a number in SQL; times in seconds since 1970."""
    place = of.names.index(column)
    is_time = of.columns[place]["type"] == "timestamp"
    return f"epoch(d.c{place})" if is_time else f"d.c{place}::DOUBLE"


def _read(query: str) -> list[Row]:
    with small_database() as connection, reading("The result", LIMITS):
        found: list[Row] = connection.execute(query).fetchall()
    return found
