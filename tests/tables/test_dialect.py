"""The dialect of a delimited file is told from a sample of it."""

import pytest

from pynomaly.tables.dialect import sniff


def look(text):
    return sniff(text, complete=True)


@pytest.mark.parametrize(
    ("text", "delimiter", "quote"),
    [
        ("a,b\n1,2\n3,4\n", ",", '"'),
        ("a;b\n1,5;2\n3,5;4\n", ";", '"'),
        ("a\tb\n1\t2\n", "\t", '"'),
        ("a|b\nx, y|2\nz, w|4\n", "|", '"'),
        ("a b\n1 2\n3 4\n", " ", '"'),
        ("a, b\n1, 2\n3, 4\n", ",", '"'),
        ("a,b\n'x,y',2\n'z','4'\n", ",", "'"),
        ('a,b\n"x;y;z",2\n"p;q;r",4\n', ",", '"'),
        ('a;b\n"x,1";2\n"y,2";4\n', ";", '"'),
        ("name,note\nO'Neil,it's\nD'Arcy,isn't\n", ",", '"'),
        ("only\n1.5\n2.5\n", ",", '"'),
        ("when,x\n2024-01-02 10:00:00,1\n2024-01-02 11:00:00,2\n", ",", '"'),
    ],
)
def test_delimiter_and_quote(text, delimiter, quote):
    layout = look(text)
    assert (layout.delimiter, layout.quote) == (delimiter, quote)


def test_backslash_escapes():
    layout = look('a,b\n"say \\"hi\\", you",1\n"x",2\n')
    assert (layout.quote, layout.escape) == ('"', "\\")


@pytest.mark.parametrize(
    ("text", "decimal", "thousands"),
    [
        ("x;y\n1.5;2\n", ".", None),
        ("x;y\n1,5;2\n2,25;3\n", ",", None),
        ("x;y\n1.234,5;2\n", ",", "."),
        ("x;y\n1.234.567;2,5\n2.234.567;3,5\n", ",", "."),
        ("x;y\n1,234.5;2\n", ".", ","),
        ("x;y\n1,234,567;2\n", ".", ","),
        ('x,y\n"1,234",2\n"5,678",3\n', ".", ","),
        ("x;y\n1;2\n", ".", None),
    ],
)
def test_marks_of_numbers(text, decimal, thousands):
    layout = look(text)
    assert (layout.decimal, layout.thousands) == (decimal, thousands)
    assert layout.types[0] == "DOUBLE"


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n", True),
        ("1,2\n3,4\n", False),
        ("a,b\nx,y\nz,w\n", True),
        ("x,1\ny,2\nx,3\n", False),
        ("x,y\nz,y\n", False),
        ("0,1,2\n0.5,1.5,2.5\n3.5,4.5,5.5\n", True),
        ("id,2019,2020\n1,5.5,6.5\n2,7.5,8.5\n", True),
        ("2024-01-01,1\n2024-01-02,2\n", False),
        ("a,b,c\n", True),
        ("1,2,3\n", False),
        (",a\n0,1\n1,2\n", True),
        ("NA,1\n2,3\n4,5\n", False),
    ],
)
def test_header(text, header):
    layout = look(text)
    assert layout.header is header
    if not header:
        assert layout.names[0] == "column_0"


def test_types_are_guessed_with_some_wrong_cells():
    body = "".join(f"{i},2024-01-{1 + i % 28:02d},w{i}\n" for i in range(50))
    assert look(f"a,b,c\n{body}oops,never,x\n").types == ("DOUBLE", "TIMESTAMPTZ", "VARCHAR")


def test_empty_lines_at_the_beginning_are_skipped():
    layout = look("\n \r\n\na,b\n1,2\n")
    assert layout.skip == 3
    assert layout.names == ("a", "b")


def test_a_cut_sample_leaves_out_its_last_row():
    assert sniff("a,b\n1,2\n3,x", complete=False).types == ("DOUBLE", "DOUBLE")


@pytest.mark.parametrize("text", ["", "\n\n", "  \n"])
def test_no_row_at_all(text):
    assert look(text) is None


def test_names_lose_the_space_around_them():
    assert look("a , b\n1,2\n").names == ("a", "b")
