"""JSON and NDJSON become tables; bad lines and cells are reported."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.errors import (
    BadColumns,
    CorruptFile,
    NonFiniteValue,
    TableEmpty,
    TableTooLarge,
    TooManyBadRows,
    UnknownFormat,
)
from pynomaly.tables import Limits, read


@pytest.fixture
def file(tmp_path):
    def write(text, name="table"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def ndjson(n=300):
    return [json.dumps({"a": i + 0.5, "b": f"w{i % 7}"}) for i in range(n)]


def test_an_array_of_objects(file):
    with read(file('[{"a":1,"b":"x","t":"2024-01-02T03:04:05+02:00"},{"b":"y","a":2.5,"c":true}]')) as table:
        assert table.dialect.format == "json"
        assert table.rows([0, 1]) == [
            {"a": 1.0, "b": "x", "t": "2024-01-02T01:04:05", "c": None},
            {"a": 2.5, "b": "y", "t": None, "c": "true"},
        ]


def test_nested_values_become_text(file):
    with read(file('[{"a":{"x":[1,2]},"b":[1]},{"a":{"x":[]},"b":[2,3]}]')) as table:
        assert table.rows([0]) == [{"a": '{"x":[1,2]}', "b": "[1]"}]


def test_text_that_looks_like_numbers_stays_text(file):
    with read(file('[{"zip":"01234"},{"zip":"99999"}]')) as table:
        assert table.rows([0]) == [{"zip": "01234"}]
        assert table.columns[0].type == "category"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_ndjson(file, pack):
    with read(file(pack("\n".join(ndjson()).encode()))) as table:
        assert (table.n_rows, table.dialect.format) == (300, "ndjson")
        assert [column.type for column in table.columns] == ["number", "category"]


def test_objects_over_several_lines(file):
    with read(file('{\n"a": 1,\n"b": 2}\n{"a": 3, "b": 4}')) as table:
        assert table.rows([1]) == [{"a": 3, "b": 4}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a":1', "not valid JSON"),
        ("[1]", "not an object"),
        ("nonsense", "not valid JSON"),
        ('{"a":1,"a":2}', "a key comes twice"),
        ('{"":1}', "a key is empty"),
    ],
)
def test_bad_lines_are_reported(file, line, reason):
    rows = ndjson()
    rows[4] = ""
    rows[9] = line
    with read(file("\n".join(rows))) as table:
        [reject] = table.rejects
        assert (reject.line, reject.value) == (10, line)
        assert reason in reject.reason
        assert (table.n_rows, table.n_rejected) == (298, 1)


def test_bad_cells_are_reported_by_line(file):
    rows = ndjson()
    rows[3] = ""
    rows[9] = "nonsense"
    rows[20] = '{"a": "oops", "b": "w"}'
    with read(file("\n".join(rows))) as table:
        assert [(r.line, r.column, r.value) for r in table.rejects] == [
            (10, None, "nonsense"),
            (21, "a", "oops"),
        ]
        assert table.columns[0].type == "number"


def test_bad_cells_of_an_array_are_reported_by_row(file):
    rows = [*ndjson(), '{"a": "oops", "b": "w"}']
    with read(file(f"[{','.join(rows)}]")) as table:
        [reject] = table.rejects
        assert (reject.line, reject.place, reject.reason) == (None, "column 'a'", "not a number (row 300)")


def test_too_many_bad_lines(file):
    with pytest.raises(TooManyBadRows, match="10 of 310 rows"):
        read(file("\n".join([*ndjson(), *["nonsense"] * 10])))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("[]", TableEmpty, "empty array"),
        ("[ ]\n", TableEmpty, "empty array"),
        ("[[1,2],[3,4]]", UnknownFormat, "not a list of objects"),
        ("[{}]", UnknownFormat, "not a list of objects"),
        ("{}", UnknownFormat, "not a list of objects"),
        ("{}\n{}\n", UnknownFormat, "not a list of objects"),
        ('{"a":[1,2],"b":[3,4]}', UnknownFormat, "orient='records'"),
        ('{"a":{"0":1},"b":{"0":3}}', UnknownFormat, "orient='records'"),
        ('[{"a":1},{"a":2', CorruptFile, "not valid JSON"),
        ('[{"a":1}] trailing', CorruptFile, "not valid JSON"),
        ('{"a":1', CorruptFile, "not valid JSON"),
        ("[" * 100_000, CorruptFile, "not valid JSON"),
        ('{"a":' * 100_000, CorruptFile, "not valid JSON"),
        ('[{"a":1e400},{"a":2}]', NonFiniteValue, "'a' holds inf in row 0"),
        ('[{"a":1,"a":2}]', BadColumns, "same key twice"),
        ('[{"a":1,"b":"x\u0000"}]'.replace("\u0000", "\0"), CorruptFile, "NUL byte"),
    ],
)
def test_files_that_cannot_be_used(file, text, error, message):
    with pytest.raises(error, match=message):
        read(file(text))


def test_numbers_in_a_json_file_are_not_a_table(file):
    with pytest.raises(UnknownFormat, match="not a list of objects"):
        read(file("[1, 2, 3]", "numbers.json"))


@pytest.mark.parametrize("text", ['{"a":"y"}\n{"a":"%s"}\n', '[{"a":"%s"}]'])
def test_a_huge_value(file, text):
    with pytest.raises(TableTooLarge, match="more than 16 MiB"):
        read(file(text % ("x" * 40_000_000)))


def test_too_many_keys(file):
    with pytest.raises(BadColumns, match="3000 columns"):
        read(file(json.dumps([{f"k{i}": i} for i in range(3000)])), limits=Limits(max_columns=2000))


def test_nan_is_missing(file):
    with read(file('[{"a":NaN},{"a":2.5},{"a":null}]')) as table:
        assert [row["a"] for row in table.rows(range(3))] == [None, 2.5, None]


VALUES = {
    "number": st.one_of(
        st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53)
    ),
    "word": st.one_of(
        st.none(),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map("w{}".format),
    ),
    "flag": st.one_of(st.none(), st.booleans()),
}


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=20).filter(
        lambda rows: all(any(row[key] is not None for row in rows) for key in VALUES)
    ),
    st.booleans(),
)
def test_reads_back_equal(tmp_path_factory, rows, by_line):
    path = tmp_path_factory.mktemp("json") / "table"
    text = "\n".join(map(json.dumps, rows)) if by_line else json.dumps(rows)
    path.write_text(text)
    with read(path) as table:
        found = table.rows(range(table.n_rows))
    flags = {True: "true", False: "false", None: None}
    assert found == [row | {"flag": flags[row["flag"]]} for row in rows]
