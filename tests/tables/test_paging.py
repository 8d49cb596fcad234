"""The API process reads pages of stored tables with little memory and no NumPy."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pynomaly.errors import CorruptFile, FileMissing, SchemaMismatch
from pynomaly.tables import ingest, page_rows, rows_at


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paging") / "da[t]a *"
    folder.mkdir()
    (folder / "source").write_text("a,b,c\n" + "".join(f"{i},{i * 0.5},w{i % 7}\n" for i in range(200_000)))
    ingest(folder / "source", folder / "table's.parquet", filename="source.csv")
    return folder / "table's.parquet"


def row(i):
    return {"a": i, "b": i * 0.5, "c": f"w{i % 7}"}


@pytest.mark.parametrize(("offset", "limit"), [(0, 3), (123_000, 50), (199_990, 50), (200_000, 5), (5, 0)])
def test_pages(path, offset, limit):
    expected = [row(i) for i in range(offset, min(offset + limit, 200_000))]
    found = page_rows(path, offset=offset, limit=limit)
    assert [{**item, "b": float(item["b"])} for item in found] == expected


def test_some_columns(path):
    assert page_rows(path, offset=7, limit=1, columns=["c", "a"]) == [{"c": "w0", "a": 7}]
    with pytest.raises(SchemaMismatch, match="no column 'z'"):
        page_rows(path, offset=0, limit=1, columns=["a", "z"])


def test_rows_by_number(path):
    indices = [199_999, 0, 150_000, 0]
    assert [found["a"] for found in rows_at(path, indices)] == indices
    assert rows_at(path, [], ["a"]) == []


def test_many_threads_at_once(path):
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda i: page_rows(path, offset=i * 1000, limit=2, columns=["a"]), range(40)))
    assert pages == [[{"a": i * 1000}, {"a": i * 1000 + 1}] for i in range(40)]


def test_files_that_are_missing_or_damaged(tmp_path):
    with pytest.raises(FileMissing):
        page_rows(tmp_path / "nothing.parquet", offset=0, limit=1)
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorruptFile):
        rows_at(tmp_path / "damaged.parquet", [0])


def test_no_numeric_library_is_loaded(path):
    code = (
        "import sys; from pynomaly.tables import page_rows, rows_at; "
        f"page_rows({str(path)!r}, offset=0, limit=5); rows_at({str(path)!r}, [1]); "
        "print([m for m in ('numpy', 'pandas', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
