"""Bytes become UTF-8 text, whatever their encoding; what is not text is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynomaly.errors import CorruptFile, TableTooLarge, UnknownFormat
from pynomaly.tables import read
from pynomaly.tables.text import LONGEST_LINE, line_at, lines_at

TEXT = "größe,naïve\n1,é\n2,ü\n3,x\n"


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "text"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("latin-1", "latin-1"),
    ],
)
def test_encodings(file, codec, encoding):
    with read(file(TEXT.encode(codec))) as table:
        assert table.dialect.encoding == encoding
        assert table.rows([0, 1]) == [{"größe": 1, "naïve": "é"}, {"größe": 2, "naïve": "ü"}]


def test_utf_16_with_a_big_endian_mark(file):
    with read(file(b"\xfe\xff" + TEXT.encode("utf-16-be"))) as table:
        assert table.rows([0], ["naïve"]) == [{"naïve": "é"}]


def test_windows_1252_is_told_from_latin_1_by_its_quotes_and_euro(file):
    with read(file("a,b\n1,€\n2,“x”\n".encode("windows-1252"))) as table:
        assert table.dialect.encoding == "windows-1252"
        assert table.rows([0, 1], ["b"]) == [{"b": "€"}, {"b": "“x”"}]


def test_latin_1_after_the_sample_and_across_chunks(file):
    content = b"a,b\n" + b"1,plain\n" * 300_000 + "2,é\n".encode("latin-1")
    with read(file(content)) as table:
        assert table.dialect.encoding == "latin-1"
        assert table.rows([300_000], ["b"]) == [{"b": "é"}]


def test_utf_8_letters_across_chunks_stay_utf_8(file):
    content = b"a,b\n" + "1,éééé\n".encode() * 200_000
    with read(file(content)) as table:
        assert table.dialect.encoding == "utf-8"


def test_half_a_letter_at_the_end_is_reported(file):
    with read(file(b"a,b\n" + "1,é\n".encode() * 300 + b"2,\xc3")) as table:
        assert table.n_rejected == 1


@pytest.mark.parametrize("content", [TEXT.encode("utf-16")[:-1], b"\xff\xfe\x00\xd8a\x00,\x00"])
def test_damaged_utf_16(file, content):
    with pytest.raises(CorruptFile, match="not valid UTF-16"):
        read(file(content))


@pytest.mark.parametrize("content", [bytes(range(1, 32)) * 100, b"\x01\x02\x03\x04abc" * 50])
def test_binary_is_refused(file, content):
    with pytest.raises(UnknownFormat, match="binary"):
        read(file(content))


def test_a_nul_byte_is_refused_with_its_place(file):
    with pytest.raises(CorruptFile, match=r"line 300002 \(byte") as error:
        read(file(b"a,b\n" + b"1,plain\n" * 300_000 + b"1,\x00\n"))
    assert error.value.details["line"] == 300_002


def test_an_endless_line_is_refused_wherever_it_is(file):
    with pytest.raises(TableTooLarge, match="Line 100002 of text"):
        read(file(b"a,b\n" + b"1,2\n" * 100_000 + b"3," + b"x" * (LONGEST_LINE + 10)))


def test_a_line_just_short_of_the_limit_loads(file):
    with read(file(b"a,b\n1,2\n3," + b"x" * (LONGEST_LINE - 100) + b"\n")) as table:
        assert table.n_rows == 2


@given(st.lists(st.sampled_from(["\n", "\r\n", "\r", "a", "bc"]), max_size=30), st.data())
def test_lines_are_counted_as_people_count_them(tmp_path_factory, parts, data):
    content = "".join(parts).encode()
    path = tmp_path_factory.mktemp("lines") / "text"
    path.write_bytes(content)
    offsets = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=4)))
    # A \r\n that an offset splits counts from its \r on.
    expected = [
        content[:offset].decode().replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        for offset in offsets
    ]
    assert lines_at(path, offsets) == expected


def test_line_at_in_a_file_of_many_chunks(file):
    path = file(b"x\n" * 2_000_000)
    assert line_at(path, 3_999_998) == 2_000_000
