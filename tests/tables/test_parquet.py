"""Parquet files become tables; damaged ones and bombs are refused."""

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.errors import BadColumns, CorruptFile, InputError, NonFiniteValue, TableEmpty, TableTooLarge
from pynomaly.tables import Limits, read

TABLE = pa.table(
    {
        "whole": pa.array([1, None, 3], pa.int16()),
        "real": pa.array([1.5, float("nan"), None], pa.float32()),
        "large": pa.array([2**60 + 1, 2, 3], pa.uint64()),
        "money": pa.array([Decimal("1.25"), None, Decimal("3.50")], pa.decimal128(10, 2)),
        "flag": [True, False, None],
        "word": ["x", "y", None],
        "code": pa.array(["a", "b", "a"]).dictionary_encode(),
        "when": pa.array([datetime(2024, 1, 2, 3, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
        "nanos": pa.array([1_400, 2_400, None], pa.timestamp("ns")),
        "day": [date(2024, 1, 2), date(2024, 1, 3), None],
        "nested": [{"x": 1, "y": [2]}, {"x": 2, "y": []}, None],
        "list": [[1], [2, 3], None],
        "bytes": [b"ab", b"\xff", None],
        "nothing": pa.nulls(3),
    }
)


@pytest.fixture
def file(tmp_path):
    def write(table, **options):
        path = tmp_path / "table.csv"  # a wrong extension, on purpose
        pq.write_table(table, path, **options)
        return path

    return write


def test_all_types(file):
    with read(file(TABLE)) as table:
        assert table.dialect.format == "parquet"
        assert table.rows([0, 1]) == [
            {
                "whole": 1, "real": 1.5, "large": 1.152921504606847e18, "money": 1.25, "flag": "true",
                "word": "x",
                "code": "a", "when": "2024-01-02T03:00:00", "nanos": "1970-01-01T00:00:00.000001",
                "day": "2024-01-02T00:00:00", "nested": '{"x":1,"y":[2]}', "list": "[1]", "bytes": "ab",
                "nothing": None,
            },
            {
                "whole": None, "real": None, "large": 2.0, "money": None, "flag": "false",
                "word": "y",
                "code": "b", "when": None, "nanos": "1970-01-01T00:00:00.000002",
                "day": "2024-01-03T00:00:00", "nested": '{"x":2,"y":[]}', "list": "[2,3]", "bytes": "\\xFF",
                "nothing": None,
            },
        ]  # fmt: skip


def test_names_that_differ_in_case_or_after_nested_columns(file):
    nested = pa.table({"a": [1, 2], "A": [3, 5], "s": [{"a": 1}, {"a": 2}], "l": [[1], [2]], "z": [1, 4]})
    with read(file(nested)) as table:
        assert [column.name for column in table.columns] == ["a", "A", "s", "l", "z"]
        assert table.rows([1], ["A", "z"]) == [{"A": 5, "z": 4}]


@pytest.mark.parametrize(
    ("names", "message"), [(["a", "a"], "'a' is used more than once"), (["a", ""], "Column 2 has no name")]
)
def test_bad_names(file, names, message):
    with pytest.raises(BadColumns, match=message):
        read(file(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=names)))


def test_no_rows(file):
    with pytest.raises(TableEmpty, match="columns but no rows"):
        read(file(TABLE.slice(0, 0)))


def test_no_columns(file):
    with pytest.raises(CorruptFile, match="at least one non-root column"):
        read(file(pa.table({})))


def test_an_infinity(file):
    with pytest.raises(NonFiniteValue, match="'a' holds inf in row 1"):
        read(file(pa.table({"a": [1.0, float("inf")]})))


def test_many_equal_rows_in_few_bytes_are_stopped_at_the_limit(file):
    path = file(
        pa.table({f"c{i}": pa.nulls(2_000_000).cast(pa.float64()) for i in range(4)}), compression="zstd"
    )
    assert path.stat().st_size < 100_000
    with pytest.raises(TableTooLarge, match="claims 2,000,000 rows of 4 columns"):
        read(path, limits=Limits(max_bytes=32 * 2**20))


def test_the_claimed_size_is_stopped_at_the_limit(file):
    path = file(pa.table({"a": ["x" * 1_000_000 + str(i) for i in range(20)]}), compression="zstd")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(TableTooLarge, match="larger than 10 MiB"):
        read(path, limits=Limits(max_bytes=10 * 2**20))


def test_a_dictionary_that_unpacks_beyond_memory_and_disk_is_stopped(file):
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 3_000, pa.int32()), ["x" * 100_000])
    path = file(pa.table({"a": words}))
    assert path.stat().st_size < 200_000
    with pytest.raises(TableTooLarge, match="needs more room"):
        read(path, limits=Limits(max_bytes=2**20, memory_mib=64))


def test_cut_short(file):
    path = file(TABLE)
    content = path.read_bytes()
    for share in (0.2, 0.9, 0.999):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(CorruptFile, match="cannot be read"):
            read(path)


@settings(deadline=None, max_examples=60)
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_any_changed_byte_is_an_error_or_harmless(tmp_path_factory, place, byte):
    path = tmp_path_factory.mktemp("changed") / "table.parquet"
    pq.write_table(TABLE, path)
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content)
    with suppress(InputError), read(path, limits=Limits(max_bytes=2**26)) as table:
        table.rows([0])


@pytest.mark.parametrize("cut", [slice(0, 2000), slice(0, -1), slice(2000, None)])
def test_a_file_cut_short_is_called_that_without_its_path(tmp_path, cut):
    path = tmp_path / "cut.parquet"
    pq.write_table(pa.table({"a": [i * 0.7 for i in range(3000)]}), path)
    data = path.read_bytes()
    path.write_bytes(data[cut] if cut.start == 0 else data[:4] + data[cut])
    with pytest.raises(CorruptFile, match=r"^cut\.parquet is damaged or cut short, so it cannot be read\.$"):
        read(path)
