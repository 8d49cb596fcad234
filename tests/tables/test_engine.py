"""DuckDB is locked in: it opens no address and no file but those it was given."""

import duckdb
import pytest

from pynomaly.tables.engine import connect, literal
from pynomaly.tables.limits import Limits


@pytest.fixture
def connection(tmp_path):
    (tmp_path / "given.csv").write_text("a\n1\n")
    (tmp_path / "other.csv").write_text("a\n2\n")
    (tmp_path / "folder").mkdir()
    with connect(Limits(), tmp_path / "folder", [tmp_path / "given.csv"]) as found:
        yield found


def test_reads_what_it_was_given(connection, tmp_path):
    assert connection.execute(f"FROM read_csv({literal(str(tmp_path / 'given.csv'))})").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "FROM read_csv('{folder}/other.csv')",
        "FROM read_csv('{folder}/folder/../other.csv')",
        "FROM read_text('/etc/passwd')",
        "FROM glob('/etc/*')",
        "FROM read_csv('https://127.0.0.1:9/x.csv')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '1TB'",
        "SET allowed_directories = ['/']",
    ],
)
def test_refuses_all_else(connection, tmp_path, query):
    with pytest.raises(duckdb.Error):
        connection.execute(query.format(folder=tmp_path)).fetchall()
    assert not (tmp_path / "out.csv").exists()


def test_python_variables_are_not_tables(connection):
    secret = {"a": [1]}  # noqa: F841
    with pytest.raises(duckdb.CatalogException):
        connection.execute("FROM secret")


def test_times_are_in_utc(connection):
    assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
