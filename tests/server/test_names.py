"""Names that people give to things."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.errors import BadValue
from pynomaly.server.names import check_column, check_name, name_from, plain_filename


def test_a_name_loses_blanks_around_it() -> None:
    """Inner ones stay."""
    assert check_name("  my data ") == "my data"


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\x00", "a\u2028b", "a\ud800", "tab\there"])
def test_names_that_are_refused(name: str) -> None:
    """Too short, too long, or not plain; the field is told."""
    with pytest.raises(BadValue) as caught:
        check_name(name)
    assert caught.value.details["pointer"] == "#/name"


@pytest.mark.parametrize("name", ["", "a\x00b", "\udfff", "x" * 10_001])
def test_columns_that_are_refused(name: str) -> None:
    """A column's name may hold anything else, even a line break."""
    assert check_column(" a\nb ", "columns") == " a\nb "
    with pytest.raises(BadValue):
        check_column(name, "columns")


@given(st.text(max_size=600))
@settings(deadline=None, max_examples=200)
def test_a_filename_is_always_plain(text: str) -> None:
    """It never leads anywhere, and makes a name that is allowed."""
    name = plain_filename(text)
    assert name
    assert len(name) <= 255
    assert not set(name) & set("/\\\x00\n\r")
    assert name.strip(".")
    assert check_name(name_from(name)) == name_from(name).strip()


@pytest.mark.parametrize(
    ("filename", "name"), [("a.csv.gz", "a"), ("b.PARQUET", "b"), (".csv", ".csv"), ("x.y.tsv", "x.y")]
)
def test_name_from_a_filename(filename: str, name: str) -> None:
    """The format's suffixes go."""
    assert name_from(filename) == name
