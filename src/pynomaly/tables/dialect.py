"""How a delimited file is written: delimiter, quote, header, decimal mark, a first guess of the types.

The delimiter and quote are those under which the file is most table-like: rows of one length (pattern score)
whose cells are numbers, timestamps or empty (type score), after van den Burg, Nazábal and Sutton, "Wrangling
messy CSV files by detecting row and type patterns" (2019).
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pynomaly.tables.cells import (
    GROUPED_COMMA,
    GROUPED_DOT,
    ISO_TIMESTAMP,
    MISSING,
    NUMBER,
    NUMBER_COMMA,
    shape_of,
)
from pynomaly.tables.limits import AS_FOUND, DialectChoice

csv.field_size_limit(1 << 30)  # the module's own limit is 128 KiB; lines are limited before they come here

DELIMITERS = (",", ";", "\t", "|", " ", "^", "~")
ROWS = 1000
"""Rows of the sample that are looked at."""
CELLS = 4000
"""Cells whose type is looked at for each candidate dialect."""
ONE_COLUMN = 1e-3
"""Pattern weight of a table with one column, so that any consistent split beats it."""
SPACE = 0.8
"""Weight of the space as a delimiter, which any other one beats: `a, b` is split at the comma."""
MOSTLY = 0.9
"""Share of the sample's cells from which a column is guessed to be of a type; all cells are checked later."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the sample shows.

    `types` are DuckDB types (DOUBLE, TIMESTAMPTZ or VARCHAR), one for each name; `skip` counts the empty
    lines at the beginning.
    """

    delimiter: str
    quote: str
    escape: str
    header: bool
    decimal: str
    thousands: str | None
    names: tuple[str, ...]
    types: tuple[str, ...]
    skip: int = 0

    def rows(self, path: Path) -> Iterator[tuple[int, list[str]]]:
        """Read the rows below the header with the line (from 1) that each begins in: slow, for places."""
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            reader = csv.reader(stream, **reader_options(self.delimiter, self.quote, self.escape))
            line, header = 1, self.header
            for row in reader:
                if row and not header:
                    yield line, row
                header = header and not row
                line = reader.line_num + 1

    def lines_from(self, path: Path, byte: int) -> int:
        """Count the lines that the row which begins at a 0-based byte offset takes up."""
        with path.open("rb") as stream:
            stream.seek(byte)
            text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
            reader = csv.reader(text, **reader_options(self.delimiter, self.quote, self.escape))
            next(reader, None)
            return max(1, reader.line_num)

    def number(self, cell: str) -> float | None:
        """Read a cell as a number; None when it is not one."""
        if self.thousands:
            cell = cell.replace(self.thousands, "")
        try:
            return float(cell.replace(self.decimal, "."))
        except ValueError:
            return None


def reader_options(delimiter: str, quote: str, escape: str) -> dict[str, Any]:
    """Give the options of csv.reader (and csv.writer) for a dialect."""
    return {
        "delimiter": delimiter,
        "quotechar": quote or None,
        "escapechar": escape if escape != quote else None,
        "doublequote": escape == quote,
        "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        "skipinitialspace": delimiter != " ",
    }


def sniff(sample: str, *, complete: bool, choice: DialectChoice = AS_FOUND) -> Layout | None:
    """Find out how `sample` is written (`complete`: it is the whole file); None when it has no row at all.

    What `choice` says is not questioned.
    """
    lines = _lines(sample)
    skip = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    sample = "".join(lines[skip:])
    if not sample:
        return None
    tried = [
        (rows, delimiter, quote, escape)
        for delimiter, quote, escape in _candidates(sample, choice)
        if (rows := parse(sample, delimiter, quote, escape, complete))
    ]
    # Where some dialect gives rows of one length, only such ones are in question: prose splits at spaces.
    clean = [one for one in tried if one[1] != " " and len(one[0][0]) > 1 and len(set(map(len, one[0]))) == 1]
    rows, delimiter, quote, escape = max(clean or tried, key=lambda one: _score(one[0], one[1]))
    return replace(_layout(delimiter, quote, escape, rows, choice), skip=skip)


def parse(sample: str, delimiter: str, quote: str, escape: str, complete: bool) -> list[list[str]]:
    """Split a sample into rows of cells; empty lines and a last row that may be cut off are left out."""
    reader = csv.reader(_lines(sample), **reader_options(delimiter, quote, escape))
    rows = [row for row in islice(reader, ROWS + 1) if row]
    return rows if (complete and len(rows) <= ROWS) or len(rows) < 2 else rows[:-1]


def _lines(sample: str) -> list[str]:
    """Split at line ends only (str.splitlines would also split at other separators of Unicode)."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", sample)


def _candidates(sample: str, choice: DialectChoice) -> list[tuple[str, str, str]]:
    """List the dialects worth trying: those whose marks are in the sample, or that are chosen."""
    lines = sample.splitlines()[:50]
    delimiters = [
        d for d in DELIMITERS if d in lines[0] or sum(d in line for line in lines) > len(lines) // 2
    ] or [","]
    quotes = ['"']
    if re.search(r"(?:^|[,;\t| ])'", sample, re.MULTILINE):
        quotes.append("'")
    if '"' in sample:
        quotes.append("")
    delimiters = delimiters if choice.delimiter is None else [choice.delimiter]
    quotes = quotes if choice.quote is None else [choice.quote]
    escapes = ["\\"] if '\\"' in sample or "\\'" in sample else []
    return [
        (delimiter, quote, escape)
        for delimiter in delimiters
        for quote in quotes
        for escape in ([quote, *escapes] if quote else [""])
    ]


def _score(rows: list[list[str]], delimiter: str) -> float:
    """Rate how table-like the rows are: pattern score times type score."""
    lengths = Counter(map(len, rows))
    pattern = sum(n * max(ONE_COLUMN, (k - 1) / k) for k, n in lengths.items()) / len(lengths) / len(rows)
    cells: list[str] = []
    for row in rows[1:] or rows:
        cells += row[: max(1, CELLS // 20)]
        if len(cells) >= CELLS:
            break
    known = sum(_known(cell) for cell in cells)
    return pattern * max(1e-6, known / len(cells)) * (SPACE if delimiter == " " else 1)


def _known(cell: str) -> float:
    """Rate one cell: 1 for a clear type, nearly that for plain words, 0 when quotes are left in it."""
    if shape_of(cell) != "text" or NUMBER_COMMA.fullmatch(cell):
        return 1.0
    if cell[:1] in "\"'" or cell[-1:] in "\"'":
        return 0.0
    return 0.9 if not any(mark in cell for mark in ",;\t|") else 0.5


def _layout(delimiter: str, quote: str, escape: str, rows: list[list[str]], choice: DialectChoice) -> Layout:
    """Decide on the numbers, the header and the types."""
    body = rows[1:] or rows
    decimal, thousands = _marks(delimiter, body)
    if choice.decimal not in (None, decimal):
        decimal, thousands = _chosen_marks(str(choice.decimal), body)
    width = len(rows[0])
    header = _has_header(rows, decimal, thousands) if choice.header is None else choice.header
    if not header:
        width = Counter(map(len, rows)).most_common(1)[0][0]
    names = (
        tuple(name.strip() for name in rows[0])
        if header
        else tuple(f"column_{place}" for place in range(width))
    )
    cells = [row for row in (body if header else rows) if len(row) == width]
    types = tuple(_type([row[place] for row in cells], decimal, thousands) for place in range(width))
    return Layout(delimiter, quote, escape, header, decimal, thousands, names, types)


def _marks(delimiter: str, rows: list[list[str]]) -> tuple[str, str | None]:
    """Tell the decimal mark and the mark between thousands (None: none)."""
    cells = [cell for row in rows for cell in islice(row, CELLS // 20) if "," in cell or "." in cell][:CELLS]
    comma = [c for c in cells if "," in c and (NUMBER_COMMA.fullmatch(c) or GROUPED_DOT.fullmatch(c))]
    dot = [c for c in cells if "." in c and "," not in c and NUMBER.fullmatch(c)]
    both = [c for c in cells if "," in c and "." in c]
    groups = [c for c in cells if "," in c and GROUPED_COMMA.fullmatch(c)]
    if any(c.rfind(",") > c.rfind(".") for c in both if GROUPED_DOT.fullmatch(c)):
        return ",", "."
    if groups and (
        any("." in c for c in groups) or any(c.count(",") > 1 for c in groups) or delimiter == ","
    ):
        return ".", ","
    if comma and len(comma) > len([c for c in dot if not GROUPED_DOT.fullmatch(c)]):
        return ",", "." if len([c for c in cells if GROUPED_DOT.fullmatch(c) and c.count(".") > 1]) else None
    return ".", None


def _chosen_marks(decimal: str, rows: list[list[str]]) -> tuple[str, str | None]:
    """Tell the mark between thousands when the decimal mark is chosen."""
    grouped, mark = (GROUPED_DOT, ".") if decimal == "," else (GROUPED_COMMA, ",")
    is_grouped = any(grouped.fullmatch(cell) for row in rows for cell in islice(row, CELLS // 20))
    return decimal, mark if is_grouped else None


def pattern_of(decimal: str, thousands: str | None) -> re.Pattern[str]:
    """Give the pattern of the file's numbers."""
    plain = NUMBER_COMMA if decimal == "," else NUMBER
    if thousands is None:
        return plain
    grouped = GROUPED_DOT if thousands == "." else GROUPED_COMMA
    return re.compile(f"{plain.pattern}|{grouped.pattern}", re.IGNORECASE | re.ASCII)


def _has_header(rows: list[list[str]], decimal: str, thousands: str | None) -> bool:
    """Say whether the first row holds names.

    It does when a name stands over a column of numbers or timestamps, or when nothing speaks against it: a
    number over a column of numbers does (unless the row counts 0, 1, 2 …), and so does a first cell that
    returns below.
    """
    first, body = rows[0], rows[1:]
    if not body:
        return all(shape_of(cell) in ("text", "missing") for cell in first)
    if len(first) > 1 and first == [str(place) for place in range(len(first))]:
        return True
    number = pattern_of(decimal, thousands)
    against = False
    for place, cell in enumerate(first):
        below = [row[place] for row in body if place < len(row)]
        shape = _common_shape(below, number)
        own = shape_of(cell, number)
        if shape in ("number", "timestamp") and own == "text":
            return True
        against = against or own in ("number", "timestamp") or (own == "text" and cell in below)
    return not against


def _common_shape(cells: list[str], number: re.Pattern[str]) -> str:
    """Name the shape that most of the present cells have, or text."""
    shapes = Counter(shape_of(cell, number) for cell in cells[:200])
    shapes.pop("missing", None)
    if not shapes:
        return "missing"
    shape, times = shapes.most_common(1)[0]
    return shape if times >= MOSTLY * shapes.total() else "text"


def _type(cells: list[str], decimal: str, thousands: str | None) -> str:
    """Guess the DuckDB type of a column."""
    present = [cell for cell in cells if cell not in MISSING]
    if not present:
        return "VARCHAR"
    number = pattern_of(decimal, thousands)
    if sum(number.fullmatch(cell) is not None for cell in present) >= MOSTLY * len(present):
        return "DOUBLE"
    if sum(ISO_TIMESTAMP.fullmatch(cell) is not None for cell in present) >= MOSTLY * len(present):
        return "TIMESTAMPTZ"
    return "VARCHAR"
