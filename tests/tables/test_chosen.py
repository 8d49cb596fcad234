"""Column types that a person chooses: what fits is read so, what does not is rejected with its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from pynomaly.errors import BadColumns, TooManyBadRows
from pynomaly.tables import Limits, ingest, open_parquet
from pynomaly.tables.ingest import Ingested

CODES = "code,amount,day\n" + "".join(f"{i % 3:03d},{i}.5,{1 + i % 28:02d}/03/2024\n" for i in range(200))
LENIENT = Limits(max_bad_rows=0.2)


def read(folder: Path, content: str | bytes, filename: str, **types: Any) -> Ingested:
    """Store a file whose columns are read as chosen."""
    data = content.encode() if isinstance(content, str) else content
    (folder / filename).write_bytes(data)
    return ingest(folder / filename, folder / "out.parquet", filename=filename, limits=LENIENT, types=types)


def kinds(found: Ingested) -> dict[str, str]:
    """The types of the columns."""
    return {column.name: column.type for column in found.columns}


def values(folder: Path, rows: list[int]) -> list[dict[str, Any]]:
    """What was stored."""
    with open_parquet(folder / "out.parquet") as table:
        return table.rows(rows)


def test_codes_that_look_like_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    assert kinds(read(tmp_path, CODES, "t.csv"))["code"] == "number"
    found = read(tmp_path, CODES, "t.csv", code="category")
    assert kinds(found) == {"code": "category", "amount": "number", "day": "timestamp"}
    assert [row["code"] for row in values(tmp_path, [0, 1, 2])] == ["000", "001", "002"]


@pytest.mark.parametrize("kind", ["id", "text"])
def test_what_is_no_use_is_left_out(tmp_path: Path, kind: str) -> None:
    [_, amount, _] = read(tmp_path, CODES, "t.csv", amount=kind).columns
    assert (amount.type, amount.unused is not None) == (kind, True)


def test_consecutive_numbers_can_be_measurements(tmp_path: Path) -> None:
    lines = "n,x\n" + "".join(f"{i},{i % 5}.5\n" for i in range(100))
    assert kinds(read(tmp_path, lines, "t.csv"))["n"] == "id"
    assert read(tmp_path, lines, "t.csv", n="number").columns[0].unused is None
    assert values(tmp_path, [99])[0]["n"] == 99


def test_cells_that_do_not_fit_are_rejected_with_line_column_value_and_reason(tmp_path: Path) -> None:
    cells = ["?" if i % 9 == 4 else f"n{i}" if i % 40 == 7 else str(i) for i in range(100)]
    lines = "a,b\n" + "".join(f"{cell},x{i % 3}\n" for i, cell in enumerate(cells))
    found = read(tmp_path, lines, "t.csv", a="number")
    assert kinds(found)["a"] == "number"
    assert [(r.line, r.column, r.value, r.reason) for r in found.rejects] == [
        (9, "a", "n7", "not a number"),
        (49, "a", "n47", "not a number"),
        (89, "a", "n87", "not a number"),
    ]
    assert (found.n_rejected, found.n_rows) == (3, 97)


def test_too_many_that_do_not_fit_refuse_the_file(tmp_path: Path) -> None:
    with pytest.raises(TooManyBadRows, match="line 2, column 'day': not a number: '01/03/2024'"):
        read(tmp_path, CODES, "t.csv", day="number")
    with pytest.raises(TooManyBadRows, match="not a timestamp"):
        read(tmp_path, CODES, "t.csv", amount="timestamp")


def test_timestamps_of_another_format(tmp_path: Path) -> None:
    lines = "when,x\n" + "".join(f"{1 + i % 28:02d}.03.2024 {i % 24:02d}:15,{i}.5\n" for i in range(60))
    assert kinds(read(tmp_path, lines, "t.csv", when="timestamp"))["when"] == "timestamp"
    assert values(tmp_path, [1])[0]["when"] == "2024-03-02T01:15:00"


def test_json_and_parquet(tmp_path: Path) -> None:
    records = [{"shop": i % 4, "price": str(i) if i != 5 else "five", "x": i % 7 + 0.5} for i in range(80)]
    found = read(tmp_path, json.dumps(records), "t.json", shop="category", price="number")
    assert kinds(found) == {"shop": "category", "price": "number", "x": "number"}
    assert [(r.column, r.value, r.reason) for r in found.rejects] == [
        ("price", "five", "not a number (row 5)")
    ]
    lines = "\n".join(map(json.dumps, records))
    assert read(tmp_path, lines, "t.ndjson", price="number").rejects[0].line == 6
    import duckdb

    with duckdb.connect() as database:
        database.execute(
            "COPY (SELECT i % 3 AS shop, (i / 2)::DOUBLE AS half, "
            "CASE WHEN i = 9 THEN 'x' ELSE i::VARCHAR END AS n "
            f"FROM range(60) t(i)) TO '{tmp_path / 'p.parquet'}' (FORMAT parquet)"
        )
    content = (tmp_path / "p.parquet").read_bytes()
    found = read(tmp_path, content, "q.parquet", shop="category", half="category", n="number")
    assert kinds(found) == {"shop": "category", "half": "category", "n": "number"}
    assert [(r.value, r.reason) for r in found.rejects] == [("x", "not a number (row 9)")]
    assert values(tmp_path, [2, 3])[1] == {"shop": "0", "half": "1.5", "n": 3.0}
    assert values(tmp_path, [2])[0]["half"] == "1"


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    for name in ("t.csv", "t.json"):
        content = CODES if name == "t.csv" else '[{"a": 1}, {"a": 2}]'
        with pytest.raises(BadColumns, match="'nope'"):
            read(tmp_path, content, name, nope="number")


def test_too_many_levels_are_no_category(tmp_path: Path) -> None:
    lines = "a,b\n" + "".join(f"v{i},{i % 9}\n" for i in range(66_000))
    with pytest.raises(BadColumns, match="66,000 different values"):
        read(tmp_path, lines, "t.csv", a="category")


def test_what_never_varies_stays_constant(tmp_path: Path) -> None:
    lines = "a,b\n" + "".join(f"7,{i % 9}\n" for i in range(50))
    assert kinds(read(tmp_path, lines, "t.csv", a="category"))["a"] == "constant"


def test_duplicates_are_counted(tmp_path: Path) -> None:
    lines = "a,b\n" + "1,x\n1,x\n,x\n,x\n1,y\n2,x\n"
    assert read(tmp_path, lines, "t.csv").n_duplicates == 2
