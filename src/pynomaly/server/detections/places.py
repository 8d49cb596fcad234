"""Where rows stand in a finished result: from a row's number to its rank and back, in one small query each."""

from collections.abc import Collection
from pathlib import Path

from pynomaly.tables.engine import literal
from pynomaly.tables.paging import cursor as small_database


def ranks(result: Path, rows: Collection[int]) -> dict[int, int]:
    """Find the ranks (from 1) of rows by their 0-based numbers; a row that is not there is left out."""
    if not rows:
        return {}
    listed = ", ".join(str(int(row)) for row in rows)
    with small_database() as connection:
        found = connection.execute(
            f"SELECT row, rank FROM read_parquet({literal(str(result))}) WHERE row IN ({listed})"
        ).fetchall()
    return dict(found)


def row_at(result: Path, rank: int) -> int:
    """Find the 0-based number of the row that has a rank; IndexError when none has."""
    with small_database() as connection:
        found = connection.execute(
            f"SELECT row FROM read_parquet({literal(str(result))}) WHERE rank = {int(rank)}"
        ).fetchone()
    if found is None:
        raise IndexError(rank)
    return int(found[0])
