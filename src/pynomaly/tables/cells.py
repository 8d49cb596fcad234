"""What one cell of a text file is: missing, a number, a timestamp or other text."""

import re
from typing import Literal

Shape = Literal["missing", "number", "timestamp", "text"]

MISSING = (
    "", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "NaT", "<NA>", "#N/A", "?",
)  # fmt: skip
"""Cells that mean "no value", in every column."""

_EXPONENT = r"(?:e[-+]?\d+)?"
NUMBER = re.compile(
    rf"\s*[-+]?(?:\d+\.?\d*{_EXPONENT}|\.\d+{_EXPONENT}|inf|infinity|nan)\s*", re.IGNORECASE | re.ASCII
)
NUMBER_COMMA = re.compile(
    rf"\s*[-+]?(?:\d+,?\d*{_EXPONENT}|,\d+{_EXPONENT}|inf|infinity|nan)\s*", re.IGNORECASE | re.ASCII
)
GROUPED_COMMA = re.compile(r"\s*[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*", re.ASCII)
GROUPED_DOT = re.compile(r"\s*[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?\s*", re.ASCII)
ISO_TIMESTAMP = re.compile(
    r"\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}"
    r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s*(?:Z|UTC|[-+]\d{2}(?::?\d{2})?)?)?\s*",
    re.IGNORECASE | re.ASCII,
)
OTHER_TIMESTAMP = re.compile(
    r"(?:[A-Za-z]{3,9},? )?"
    r"(?:\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})(?:\D.{0,20})?",
    re.ASCII,
)

_DAYS = (
    "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d-%b-%y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%b %d %Y", "%B %d, %Y", "%a, %d %b %Y",
)  # fmt: skip
_TIMES = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S",
    ", %H:%M", ", %H:%M:%S",
)  # fmt: skip
FORMATS = tuple(day + time for day in _DAYS for time in _TIMES)
"""Timestamps that are not ISO 8601. Where two fit all values (03/04/2024), the earlier wins: day first.
Two-digit years come first, since `%Y` would take 24 for the year 24."""


def shape_of(cell: str, number: re.Pattern[str] = NUMBER) -> Shape:
    """Name the shape of a cell; `number` is the pattern of the file's numbers."""
    if cell in MISSING or not cell.strip():
        return "missing"
    if number.fullmatch(cell):
        return "number"
    if len(cell) <= 40 and (ISO_TIMESTAMP.fullmatch(cell) or OTHER_TIMESTAMP.fullmatch(cell)):
        return "timestamp"
    return "text"
