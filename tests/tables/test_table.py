"""A table gives whole columns, blocks, rows and labels, from memory and from a stored file alike."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.columns import Levels
from pynomaly.errors import CorruptFile, FileMissing, LabelError, SchemaMismatch
from pynomaly.tables import Limits, ingest, open_parquet, read

N = 1000
COLUMNS = {
    "number": [None if i % 97 == 5 else i * 0.25 for i in range(N)],
    "whole": [(i * 37) % 11 for i in range(N)],
    "word": [None if i % 89 == 7 else f"w{i % 13}é" for i in range(N)],
    "when": [None if i % 83 == 3 else datetime(2024, 1, 1 + i % 28, i % 24) for i in range(N)],  # noqa: DTZ001
    "key": [f"k{i:05d}" for i in range(N)],
}


def as_csv(columns):
    rows = zip(*columns.values(), strict=True)
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return (",".join(columns) + "\n" + "\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module", params=["memory", "file"])
def table(request, tmp_path_factory):
    if request.param == "memory":
        found = read(COLUMNS)
    else:
        folder = tmp_path_factory.mktemp("stored")
        (folder / "source").write_bytes(as_csv(COLUMNS))
        ingest(folder / "source", folder / "table.parquet", filename="mine.csv")
        found = open_parquet(folder / "table.parquet", memory_mib=256, threads=1)
    with found:
        yield found


def strings(values):
    return [None if code < 0 else values.levels[code] for code in values.codes]


def test_whole_columns(table):
    frame = table.frame()
    assert list(frame) == list(COLUMNS)
    assert [data.column.type for data in frame.values()] == [
        "number",
        "number",
        "category",
        "timestamp",
        "id",
    ]
    np.testing.assert_array_equal(frame["number"].values, np.array(COLUMNS["number"], dtype=float))
    np.testing.assert_array_equal(frame["when"].values, np.array(COLUMNS["when"], "datetime64[us]"))
    assert {type(frame[name].values) for name in ("number", "whole", "when")} == {np.ndarray}  # no masks
    assert frame["whole"].values.dtype == np.float64
    assert frame["word"].values.codes.dtype == np.int32
    assert strings(frame["word"].values) == COLUMNS["word"]
    assert strings(frame["key"].values) == COLUMNS["key"]


def test_some_columns_in_the_order_asked_for(table):
    assert list(table.frame(["whole", "number"])) == ["whole", "number"]
    assert table.frame([]) == {}


@pytest.mark.parametrize("size", [1, 7, 300, 1000, 5000])
def test_blocks_are_the_whole_in_parts(table, size):
    names = ["number", "word", "when"]
    if size == 1:
        names = ["number"]
    blocks = list(table.blocks(names, size))
    assert [len(block["number"]) for block in blocks][:-1] == [size] * (len(blocks) - 1)
    whole = table.frame(names)
    for name in names:
        parts = [block[name].values for block in blocks]
        if isinstance(parts[0], Levels):
            assert {part.levels for part in parts} == {whole[name].values.levels}
            np.testing.assert_array_equal(np.concatenate([p.codes for p in parts]), whole[name].values.codes)
        else:
            np.testing.assert_array_equal(np.concatenate(parts), whole[name].values)


@settings(deadline=None, max_examples=30)
@given(indices=st.lists(st.integers(0, N - 1), max_size=20))
def test_rows_by_number_in_any_order(table, indices):
    expected = [
        {"whole": COLUMNS["whole"][i], "when": COLUMNS["when"][i] and COLUMNS["when"][i].isoformat()}
        for i in indices
    ]
    assert table.rows(indices, ["whole", "when"]) == expected


def test_rows_that_are_not_there(table):
    with pytest.raises(IndexError, match="no row 1000"):
        table.rows([0, 1000])


def test_columns_that_are_not_there(table):
    with pytest.raises(SchemaMismatch, match="no column 'nope', 'neither'"):
        table.frame(["whole", "nope", "neither"])


@pytest.mark.parametrize(
    "values",
    [
        [0, 1, 1],
        [0.0, 1.0, 1.0],
        [False, True, True],
        ["no", "yes", "YES"],
        ["normal", "Anomaly", " anomaly "],
        ["0", "1", "1"],
    ],
)
def test_labels(values):
    with read({"label": values}) as table:
        labels = table.labels("label")
        assert labels.dtype == np.int8
        assert labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 1, 2], "row 2 holds 2"),
        ([0, 1, None], "row 2 has no value"),
        (["no", "yes", "maybe"], "row 2 holds 'maybe'"),
        (["yes", None, "no"], "row 1 has no value"),
        ([datetime(2024, 1, 1)] * 3, "row 0 holds '2024-01-01T00:00:00'"),  # noqa: DTZ001
    ],
)
def test_labels_that_are_not_binary(values, message):
    with read({"label": values}) as table, pytest.raises(LabelError, match=message):
        table.labels("label")


def test_labels_that_are_not_there():
    with read({"a": [1, 2]}) as table, pytest.raises(LabelError, match=r"no column 'label' .* there are: a"):
        table.labels("label")


def test_labels_of_one_class():
    with read({"label": [0, 0, 0]}) as table:
        assert table.labels("label").tolist() == [0, 0, 0]


def test_a_missing_stored_file(tmp_path):
    with pytest.raises(FileMissing):
        open_parquet(tmp_path / "nothing.parquet")


def test_a_stored_file_of_others(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(CorruptFile, match="was not written by Pynomaly"):
        open_parquet(tmp_path / "other.parquet")
    (tmp_path / "other.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(CorruptFile, match="cannot be read"):
        open_parquet(tmp_path / "other.parquet")


def test_values_with_quotes_and_odd_letters():
    words = ["it's", 'say "hi"', "a\nb", "", " ", "é😀", "a\0b", "%", "it's"]
    with read({"w": words}) as table:
        assert strings(table.frame()["w"].values) == words
        assert [row["w"] for row in table.rows(range(len(words)))] == words


def test_text_that_is_all_missing(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n,1\n,2\n")
    with read(tmp_path / "t.csv") as table:
        values = table.frame(["a"])["a"].values
        assert (values.codes.tolist(), values.levels) == ([-1, -1], ())
    ingest(tmp_path / "t.csv", tmp_path / "t.parquet", filename="t.csv")
    with open_parquet(tmp_path / "t.parquet") as table:
        assert table.frame(["a"])["a"].values.levels == ()


WORDS = ["p", "q", None, "r"]


@pytest.fixture(params=["memory", "parquet"])
def large(request, tmp_path):
    """Some thousand rows of each kind, in memory or in a stored file."""
    n = 5000
    columns = {
        "x": [None if i % 7 == 0 else i / 3 for i in range(n)],
        "w": [WORDS[i % 4] for i in range(n)],
        "t": [datetime(2024, 1, 1 + i % 28) for i in range(n)],  # noqa: DTZ001
    }
    if request.param == "memory":
        with read(columns) as table:
            yield table
        return
    pandas.DataFrame(columns).to_parquet(tmp_path / "given.parquet", row_group_size=600)
    ingest(tmp_path / "given.parquet", tmp_path / "t.parquet", filename="given.parquet")
    with open_parquet(tmp_path / "t.parquet") as table:
        yield table


def picked(data, rows):
    """The values of some rows of a column."""
    values = data.values
    return np.array(strings(values))[rows] if isinstance(values, Levels) else values[rows]


def test_a_sample_holds_the_rows_asked_for_in_order(large):
    rows = np.sort(np.random.default_rng(0).choice(5000, 700, replace=False))
    whole, sample = large.frame(), large.sample(rows, ["w", "t", "x"])
    assert list(sample) == ["w", "t", "x"]
    for name, data in sample.items():
        np.testing.assert_array_equal(picked(data, np.arange(700)), picked(whole[name], rows))


def test_a_reader_may_be_used_by_many_threads(large):
    fetch, whole = large.reader(["x", "w"]), large.frame(["x", "w"])
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda start: fetch(start, start + 300), range(0, 5000, 300)))
    assert [len(part["x"]) for part in parts] == [300] * 16 + [200]
    for name, data in whole.items():
        together = np.concatenate([picked(part[name], slice(None)) for part in parts])
        np.testing.assert_array_equal(together, picked(data, slice(None)))


def test_a_table_knows_how_much_memory_it_may_use(tmp_path):
    with read({"a": [1, 2]}, limits=Limits(memory_mib=300)) as table:
        assert table.memory_mib == 300
    (tmp_path / "t.csv").write_text("a\n1\n2\n")
    ingest(tmp_path / "t.csv", tmp_path / "t.parquet", filename="t.csv")
    with open_parquet(tmp_path / "t.parquet", memory_mib=200) as table:
        assert table.memory_mib == 200
