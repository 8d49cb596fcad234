"""Excel workbooks become tables; bombs and damaged files are refused."""

import sys
import zipfile
from xml.sax.saxutils import escape

import pytest

from pynomaly.errors import (
    BadColumns,
    CorruptFile,
    MissingExtra,
    NonFiniteValue,
    TableEmpty,
    TableTooLarge,
    TooManyBadRows,
)
from pynomaly.tables import Limits, read

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    "</Types>"
)
ROOT = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
BOOK = (
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    f'xmlns:r="{OFFICE}"><sheets>{{}}</sheets></workbook>'
)
STYLES = (
    '<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


class Time(float):
    """A number of days that is shown as a time."""


def letters(place):
    return chr(65 + place)


def cell(row, place, value):
    """Write one cell."""
    at = f'r="{letters(place)}{row}"'
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c {at} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, Time):
        return f'<c {at} s="1"><v>{float(value)}</v></c>'
    if isinstance(value, str):
        return f'<c {at} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c {at}><v>{value}</v></c>"


def sheet(rows, first=1):
    body = "".join(
        f'<row r="{at}">{"".join(cell(at, place, value) for place, value in enumerate(row))}</row>'
        for at, row in enumerate(rows, first)
    )
    return (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{body}</sheetData></worksheet>"
    )


def write(path, *sheets):
    """Write a workbook of sheets that are given as XML."""
    names = "".join(f'<sheet name="s{i}" sheetId="{i}" r:id="r{i}"/>' for i in range(1, len(sheets) + 1))
    links = "".join(
        f'<Relationship Id="r{i}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    style = f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("_rels/.rels", ROOT)
        archive.writestr("xl/workbook.xml", BOOK.format(names))
        archive.writestr("xl/styles.xml", STYLES)
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<?xml version="1.0"?><Relationships '
            f'xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}{style}</Relationships>',
        )
        for i, xml in enumerate(sheets, 1):
            archive.writestr(f"xl/worksheets/sheet{i}.xml", xml)
    return path


@pytest.fixture
def book(tmp_path):
    return lambda *sheets: write(tmp_path / "book.csv", *sheets)  # a wrong extension, on purpose


def test_all_kinds_of_cells(book):
    rows = [
        ["whole", "real", "word", "flag", "when", "mixed", 2024],
        [1, 1.5, "x", True, Time(45293.5), 1, 7],
        [2, None, "y", False, Time(45294.25), "two", 8],
        [4, 2.5, "NA", None, None, True, 9.5],
    ]
    with read(book(sheet(rows))) as table:
        assert table.dialect.format == "excel"
        assert table.rows(range(3)) == [
            {"whole": 1, "real": 1.5, "word": "x", "flag": "true", "when": "2024-01-02T12:00:00",
             "mixed": "1", "2024": 7},
            {"whole": 2, "real": None, "word": "y", "flag": "false", "when": "2024-01-03T06:00:00",
             "mixed": "two", "2024": 8},
            {"whole": 4, "real": 2.5, "word": None, "flag": None, "when": None, "mixed": "True", "2024": 9.5},
        ]  # fmt: skip


def test_the_first_sheet_with_cells_wherever_they_begin(book):
    rows = [[None, "a", "b"], [None, 1, 2], [None, None, None], [None, 3, 4]]
    with read(book(sheet([]), sheet(rows, first=5), sheet([["no"]]))) as table:
        assert table.rows([0, 1]) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_bad_cells_are_reported_by_row(book):
    rows = [["a", "b"], *([i + 0.5, f"w{i % 5}"] for i in range(200))]
    rows[51][0] = "#DIV/0!"
    with read(book(sheet(rows))) as table:
        [reject] = table.rejects
        assert (reject.line, reject.column, reject.value) == (52, "a", "#DIV/0!")
        assert table.n_rows == 199


def test_too_many_bad_cells(book):
    rows = [["a", "b"], *([i + 0.5 if i % 20 else "oops", i] for i in range(200))]
    with pytest.raises(TooManyBadRows, match="10 of 200 rows"):
        read(book(sheet(rows)))


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([], TableEmpty, "has no cells"),
        ([["a", "b"]], TableEmpty, "column names but no rows"),
        ([["a", "a"], [1, 2]], BadColumns, "more than once"),
        ([["a", None], [1, 2]], BadColumns, "Column 2 has no name"),
        ([["a"], ["1e999"], [2.5]], NonFiniteValue, "'a' holds inf"),
    ],
)
def test_workbooks_that_cannot_be_used(book, rows, error, message):
    with pytest.raises(error, match=message):
        read(book(sheet(rows)), limits=Limits(max_bad_rows=1))


def test_two_cells_far_apart_are_stopped_before_memory_is_taken(book):
    xml = sheet([["a"], [1]]).replace(
        "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    with pytest.raises(TableTooLarge, match="spans 1,048,576 rows and 16,384 columns"):
        read(book(xml))


def test_a_bomb_is_stopped_at_the_limit(book):
    xml = sheet([["a"], [1]]) + " " * 50_000_000
    with pytest.raises(TableTooLarge, match="larger than 10 MiB"):
        read(book(xml), limits=Limits(max_bytes=10 * 2**20))


def test_cut_short_or_damaged(book):
    path = book(sheet([["a"], *([i] for i in range(5000))]))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptFile):
        read(path)
    damaged = bytearray(content)
    middle = content.index(b"xl/worksheets/sheet1.xml") + 200
    damaged[middle : middle + 50] = bytes(50)
    path.write_bytes(damaged)
    with pytest.raises(CorruptFile, match="damaged or cut short"):
        read(path)


def test_sheets_that_are_not_xml(book):
    with pytest.raises(CorruptFile, match="cannot be read as an Excel workbook"):
        read(book("<worksheet><sheetData><row r='1'><c"))


def test_an_old_workbook_that_is_damaged(tmp_path):
    path = tmp_path / "book.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(CorruptFile, match="cannot be read as an Excel workbook"):
        read(path)


def test_without_the_extra(book, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtra, match=r"pip install 'pynomaly-platform\[excel\]'"):
        read(book(sheet([["a"], [1]])))
