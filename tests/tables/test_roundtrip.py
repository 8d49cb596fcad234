"""Any table written as CSV, in any dialect and encoding, reads back equal."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pynomaly.tables import read

NAMES = ["amount", "Größe", "kind of", "note", "when", "id-2"]
WORDS = st.text(st.sampled_from("abcXYZ 019.,;|\"'\n_-/:éß"), max_size=12).map(lambda text: f"w{text}w")
TIMES = st.integers(-(2**31), 2**32).map(lambda seconds: datetime(1970, 1, 1) + timedelta(seconds=seconds))  # noqa: DTZ001
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
COLUMNS = {"float": FLOATS, "int": st.integers(-(2**62), 2**62), "word": WORDS, "time": TIMES}


@st.composite
def tables(draw):
    """Draw columns of one kind each (with missing values), at least two columns and five rows."""
    n_rows = draw(st.integers(5, 25))
    kinds = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=2, max_size=len(NAMES)))
    columns = {}
    for name, kind in zip(NAMES, kinds, strict=False):
        values = draw(st.lists(COLUMNS[kind], min_size=n_rows, max_size=n_rows))
        for gap in draw(st.sets(st.integers(0, n_rows - 1), max_size=2)):
            values[gap] = None
        columns[name] = values
    return columns


@st.composite
def dialects(draw):
    """Draw a way to write CSV."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    # Before Python 3.13, csv.writer quotes only those line ends that it writes itself.
    quoting = csv.QUOTE_ALL if line_end == "\r" else draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    return {
        "delimiter": delimiter,
        "quoting": quoting,
        "lineterminator": line_end,
        "quotechar": draw(st.sampled_from(['"', '"', "'"])),
        "decimal": "." if delimiter == "," else draw(st.sampled_from([".", ","])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])),
    }


def cell(value, decimal):
    """Write one value as programs do."""
    if value is None:
        return ""
    return repr(value).replace(".", decimal) if isinstance(value, float) else str(value)


def write(columns, path, *, decimal, encoding, **dialect):
    """Write a table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, **dialect)
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([cell(value, decimal) for value in row])
    path.write_bytes(text.getvalue().encode(encoding))


def plain(value):
    """Give what reading must give back."""
    return value.isoformat() if isinstance(value, datetime) else value


def same_kind(found, value):
    """Compare a whole number that was written as a float, such as 4e16, as the float it is."""
    return float(found) if isinstance(value, float) else found


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("roundtrip") / "table.csv"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(columns=tables(), dialect=dialects())
def test_reads_back_equal(path, columns, dialect):
    write(columns, path, **dialect)
    with read(path) as table:
        assert table.n_rejected == 0
        assert [column.name for column in table.columns] == list(columns)
        rows = table.rows(range(table.n_rows))
    for name, values in columns.items():
        assert [same_kind(row[name], value) for row, value in zip(rows, values, strict=True)] == [
            plain(value) for value in values
        ]


@settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(FLOATS, min_size=n, max_size=n), min_size=3)),
    dialect=dialects(),
)
def test_numbers_without_a_header_read_back_equal(path, rows, dialect):
    text = io.StringIO()
    options = {key: value for key, value in dialect.items() if key not in ("decimal", "encoding")}
    csv.writer(text, **options).writerows([[cell(value, ".") for value in row] for row in rows])
    path.write_bytes(text.getvalue().encode(dialect["encoding"]))
    with read(path) as table:
        assert [column.name for column in table.columns] == [
            f"column_{place}" for place in range(len(rows[0]))
        ]
        found = [[float(value) for value in row.values()] for row in table.rows(range(table.n_rows))]
    assert found == rows


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.one_of(FLOATS, st.none()), min_size=3).filter(any))
def test_one_column_reads_back_equal(path, values):
    write({"only": values}, path, decimal=".", encoding="utf-8")
    with read(path) as table:
        found = [row["only"] for row in table.rows(range(table.n_rows))]
    assert list(map(same_kind, found, values)) == values
