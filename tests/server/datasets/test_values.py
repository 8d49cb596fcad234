"""Rows of tables with many columns, read some columns at a time."""

from pathlib import Path

import pytest

from pynomaly.server.datasets.values import COLUMNS_AT_ONCE, values_at, values_between
from pynomaly.tables import ingest

COLUMNS = [f"c {i}" for i in range(2 * COLUMNS_AT_ONCE + 5)]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten rows; the cell in row r and column c is 1000 r + c + a half."""
    folder = tmp_path_factory.mktemp("wide")
    lines = [
        ",".join(COLUMNS),
        *(",".join(f"{1000 * r + c}.5" for c in range(len(COLUMNS))) for r in range(10)),
    ]
    (folder / "t.csv").write_text("\n".join(lines))
    ingest(folder / "t.csv", folder / "t.parquet", filename="t.csv")
    return folder / "t.parquet"


def expected(row: int) -> dict[str, float]:
    """The values of a row."""
    return {name: 1000 * row + place + 0.5 for place, name in enumerate(COLUMNS)}


def test_every_column_comes_back_in_its_place(wide: Path) -> None:
    """All columns, in the table's order, of rows in the order asked for."""
    assert values_at(wide, COLUMNS, [7, 0, 3]) == [expected(7), expected(0), expected(3)]
    assert list(values_at(wide, COLUMNS, [1])[0]) == COLUMNS
    assert values_between(wide, COLUMNS, 8, 5) == [expected(8), expected(9)]
    assert values_between(wide, COLUMNS[:1], 0, 1) == [{"c 0": 0.5}]
