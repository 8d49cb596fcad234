"""Any source is read; what a file is, is told from its content."""

import io
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.errors import FileMissing, PynomalyError, TableEmpty, TableError, UnknownFormat
from pynomaly.tables import read

CSV = b"a,b\n1,x\n2,y\n"


def rows(source, **options):
    with read(source, **options) as table:
        return table.rows(range(table.n_rows))


def test_a_path_a_string_and_a_stream_are_equal(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(CSV)
    with path.open("rb") as stream:
        assert rows(path) == rows(str(path)) == rows(stream) == rows(io.BytesIO(CSV))


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CSV)))
    assert rows("-") == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(CSV,))
    writer.start()
    assert len(rows(path)) == 2
    writer.join()


@pytest.mark.parametrize(
    "name", ["data[1].csv", "a*b?.csv", "it's.csv", "x;y.csv", "{a,b}.csv", "é.csv", "a b.csv"]
)
def test_names_are_taken_literally(tmp_path, name):
    (tmp_path / "data1.csv").write_bytes(b"other\n1\n")
    path = tmp_path / name
    path.write_bytes(CSV)
    assert len(rows(path)) == 2


@pytest.mark.parametrize("name", ["table.parquet", "table.json", "table.xlsx", "table", "table.tsv.gz"])
def test_a_wrong_extension_does_not_matter(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(CSV)
    with read(path) as table:
        assert table.dialect.format == "csv"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"ARROW1\x00\x00", "an Arrow or Feather file"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"\n <?xml version='1.0'?><a/>", "a web page or XML"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
    ],
)
def test_other_files_are_named(tmp_path, content, what):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(UnknownFormat, match=what):
        read(path)


def test_the_format_can_be_forced(tmp_path):
    path = tmp_path / "table"
    path.write_bytes(b"[x],[y]\n1,2\n")
    with pytest.raises(TableError):
        read(path, format="json")
    assert rows(path, format="csv") == [{"[x]": 1, "[y]": 2}]
    with pytest.raises(UnknownFormat, match="no format 'arff'; there are: csv, tsv"):
        read(path, format="arff")


@pytest.mark.parametrize("path", ["nothing.csv", "nothing/table.csv", "a\0b"])
def test_a_missing_file(path):
    with pytest.raises(FileMissing, match="There is no file"):
        read(path)


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "file").write_bytes(CSV)
    with pytest.raises(FileMissing):
        read(tmp_path / "file" / "table.csv")


def test_a_folder(tmp_path):
    with pytest.raises(UnknownFormat, match="is a folder"):
        read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(CSV)
    path.chmod(0)
    with pytest.raises(FileMissing, match="may not be read"):
        read(path)


def test_a_text_stream_is_refused():
    with pytest.raises(UnknownFormat, match="binary mode"):
        read(io.StringIO("a,b\n1,2\n"))


def test_an_empty_stream():
    with pytest.raises(TableEmpty, match="the stream is empty"):
        read(io.BytesIO(b""))


def test_the_name_is_used_in_messages():
    with pytest.raises(TableEmpty, match=r"^mine\.csv is empty"):
        read(io.BytesIO(b""), name="mine.csv")


def test_nothing_stays_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(TableEmpty):
        read(io.BytesIO(b"a,b\n"))
    assert list(tmp_path.iterdir()) == []
    with read(io.BytesIO(CSV)):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    table = read(io.BytesIO(CSV))
    del table
    assert list(tmp_path.iterdir()) == []


def refusal(content):
    """Read bytes; give the error that refuses them, if one does."""
    try:
        with read(io.BytesIO(content)) as table:
            assert table.n_rows > 0
            assert len(table.rows([0])) == 1
            assert all(len(data) == table.n_rows for data in table.frame().values())
    except PynomalyError as error:
        return error
    return None


@settings(deadline=None, max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(st.sampled_from("ab1.,;\"'\n\r\t {}[]:-\\é"), max_size=200).map(str.encode),
        st.tuples(
            st.sampled_from(
                [b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"[{", b'{"', b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
            ),
            st.binary(max_size=100),
        ).map(b"".join),
    )
)
def test_any_bytes_are_a_table_or_a_clear_error(content):
    found = refusal(content)
    assert found is None or (found.exit_code == 3 and found.message.endswith("."))


def test_importing_and_reading_load_no_numeric_library():
    code = (
        "import sys, io, pynomaly.tables as t; assert 'duckdb' not in sys.modules; "
        f"x = t.read(io.BytesIO({CSV!r})); x.rows([0]); x.close(); "
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'narwhals') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
