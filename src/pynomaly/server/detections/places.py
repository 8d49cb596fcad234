"""Where rows stand in a finished result: from a row's number to its rank, and back."""

from collections.abc import Collection
from pathlib import Path

from pynomaly.tables.engine import literal
from pynomaly.tables.paging import cursor as small_database


def ranks(result: Path, rows: Collection[int], likely: int = 0) -> dict[int, int]:
    """Find the ranks (from 1) of rows by their 0-based numbers; a row that is not there is left out.

    The first `likely` ranks are looked at first: the file is in their order, so that little of it is read.
    """
    found = _ranks(result, rows, f"rank <= {int(likely)}") if likely and rows else {}
    missing = [row for row in rows if row not in found]
    return found | (_ranks(result, missing, f"rank > {int(likely)}") if missing else {})


def _ranks(result: Path, rows: Collection[int], where: str) -> dict[int, int]:
    listed = ", ".join(str(int(row)) for row in rows)
    with small_database() as connection:
        found = connection.execute(
            f"SELECT row, rank FROM read_parquet({literal(str(result))}) WHERE {where} AND row IN ({listed})"
        ).fetchall()
    return dict(found)


def rows_at(result: Path, first: int, last: int) -> dict[int, int]:
    """Find the 0-based numbers of the rows that have these ranks, by rank."""
    with small_database() as connection:
        found = connection.execute(
            f"SELECT rank, row FROM read_parquet({literal(str(result))}) "
            f"WHERE rank BETWEEN {int(first)} AND {int(last)}"
        ).fetchall()
    return dict(found)
