"""The values of a few rows of a stored dataset, read in little memory however wide the table is."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pynomaly import tables

COLUMNS_AT_ONCE = 64
"""DuckDB holds a row group of all columns that it reads."""

Values = list[dict[str, Any]]


def values_at(path: Path, columns: Sequence[str], rows: Sequence[int]) -> Values:
    """Read the rows with these 0-based numbers, in their order, as JSON values by column."""
    return _merged(tables.rows_at(path, rows, names) for names in _some(columns))


def values_between(path: Path, columns: Sequence[str], offset: int, limit: int) -> Values:
    """Read `limit` rows from row `offset` on, as JSON values by column."""
    parts = (tables.page_rows(path, offset=offset, limit=limit, columns=names) for names in _some(columns))
    return _merged(parts)


def _some(columns: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        yield columns[start : start + COLUMNS_AT_ONCE]


def _merged(parts: Iterator[Values]) -> Values:
    merged = next(parts)
    for part in parts:
        for row, more in zip(merged, part, strict=True):
            row.update(more)
    return merged
