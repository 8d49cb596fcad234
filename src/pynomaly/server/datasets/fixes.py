"""What to do about a cell that could not be read: told from its value and the reason, nothing else.

The texts are looked up in the reader's language where they are shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNIT = r"[€$£¥₹%°]|[A-Za-zµ°/²³]{1,6}"
_PLAIN = r"[-+]?\d+(?:[.,]\d+)?"
DATE = re.compile(
    r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:[ T]\d{1,2}:\d{2}.*)?\s*"
)
NUMBER = re.compile(rf"\s*{_PLAIN}(?:[eE][-+]?\d+)?\s*")
GROUPED = re.compile(r"\s*[-+]?\d{1,3}(?:[,' \u00a0\u202f’]\d{3})+(?:\.\d+)?\s*")
GROUPED_DOT = re.compile(r"\s*[-+]?\d{1,3}(?:[.' \u00a0\u202f’]\d{3})+(?:,\d+)?\s*")
WITH_UNIT = re.compile(rf"\s*(?:(?:{UNIT})\s*({_PLAIN})|({_PLAIN})\s*(?:{UNIT}))\s*")
IN_BRACKETS = re.compile(r"\s*\(([\d.,]+)\)\s*")
NO_VALUE = re.compile(
    r"\s*(?:[-–—.?/*#]+|n\s?/?\s?a\W*|none|nil|null|missing|unknown|error|tbd|k\.\s?a\.)\s*", re.I
)
YES_NO = {"true": "1", "yes": "1", "y": "1", "ja": "1", "false": "0", "no": "0", "n": "0", "nein": "0"}
WIDTHS = re.compile(r"the line has (\d+) cells where (\d+) are expected")


def N_(text: str) -> str:  # noqa: N802 - as gettext calls it
    """Mark a text that is looked up in the reader's language later."""
    return text


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do, in English; and how the cell should be written, where that can be told."""

    text: str
    corrected: str | None = None


def fix_of(value: str, reason: str, decimal: str = ".") -> Fix:
    """Suggest what to do about a cell (or line) that was rejected for `reason`, in a file with this mark.

    >>> fix_of("1,234.5", "not a number").corrected, fix_of("12 kg", "not a number").corrected
    ('1234.5', '12')
    >>> fix_of("2024-01-31", "not a number").text
    "A date is where a number is expected: look whether the line's cells are shifted."
    """
    if widths := WIDTHS.match(reason):
        return _width(int(widths[1]), int(widths[2]))
    if reason.startswith("not a number"):
        return _number(value, decimal)
    if "timestamp" in reason:
        return _timestamp(value)
    return _line(reason)


def _number(value: str, decimal: str) -> Fix:
    text = value.strip()
    if NO_VALUE.fullmatch(text):
        return Fix(N_("Leave the cell empty if there is no value."), "")
    if text.lower() in YES_NO:
        return Fix(N_("Write 1 or 0, or read the column as a category."), YES_NO[text.lower()])
    if DATE.fullmatch(text):
        return Fix(N_("A date is where a number is expected: look whether the line's cells are shifted."))
    if (GROUPED if decimal == "." else GROUPED_DOT).fullmatch(text):
        marks = r"[,' \u00a0\u202f’]" if decimal == "." else r"[.' \u00a0\u202f’]"
        return Fix(N_("Remove the marks between the thousands."), re.sub(marks, "", text))
    if re.fullmatch(_PLAIN, text):
        other = "," if decimal == "." else "."
        if text.count(other) == 1:
            return Fix(N_("Write the decimal mark as the other cells do."), text.replace(other, decimal))
    if (GROUPED_DOT if decimal == "." else GROUPED).fullmatch(text):
        return Fix(N_("Marks of decimals and thousands are those of another country."))
    if found := WITH_UNIT.fullmatch(text):
        return Fix(N_("Leave out the unit or currency."), found[1] or found[2])
    if found := IN_BRACKETS.fullmatch(text):
        return Fix(N_("Write a negative number with a minus sign."), f"-{found[1]}")
    return Fix(N_("Text is where a number is expected: correct it, or read the column as a category."))


def _timestamp(value: str) -> Fix:
    text = value.strip()
    if NO_VALUE.fullmatch(text):
        return Fix(N_("Leave the cell empty if there is no value."), "")
    if DATE.fullmatch(text):
        return Fix(N_("There is no such day or time, or it is written in another order than the others."))
    if NUMBER.fullmatch(text):
        return Fix(N_("A number is where a time is expected: write times as 2026-01-31 or 2026-01-31 09:30."))
    return Fix(N_("Write times as 2026-01-31 or 2026-01-31 09:30, or read the column as text."))


def _width(found: int, expected: int) -> Fix:
    if found > expected:
        return Fix(N_("A cell holds the delimiter: put this cell in quotes, or choose another delimiter."))
    return Fix(N_("Delimiters are missing: look whether the line is cut off, or a line break is in a cell."))


def _line(reason: str) -> Fix:
    if "quote" in reason or "rows" in reason:
        return Fix(N_("Close the quote; write a quote within a cell twice."))
    if "UTF-8" in reason:
        return Fix(N_("Save the file as UTF-8, or choose its encoding."))
    if "too long" in reason:
        return Fix(N_("Look whether a line end is missing; shorten very long cells."))
    return Fix(N_("Correct the line in the file, and upload it again."))


@dataclass(frozen=True, slots=True)
class Fault:
    """A rejected cell with what to do about it."""

    line: int | None
    column: str | None
    value: str
    reason: str
    fix: str
    corrected: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Rejected cells of one column for one reason, and what to do about the first."""

    column: str | None
    reason: str
    count: int
    fix: str
    example: str


def faults(rejects: Sequence[Mapping[str, Any]], decimal: str | None) -> list[Fault]:
    """Say of each rejected cell what to do."""
    found = []
    for reject in rejects:
        fix = fix_of(reject["value"], reject["reason"], decimal or ".")
        found.append(Fault(**reject, fix=fix.text, corrected=fix.corrected))
    return found


def groups(found: Sequence[Fault]) -> list[Group]:
    """Count by column and reason, most frequent first."""
    counted: dict[tuple[str | None, str], list[Fault]] = {}
    for fault in found:
        counted.setdefault((fault.column, _general(fault.reason)), []).append(fault)
    made = [
        Group(column, reason, len(faults), faults[0].fix, faults[0].value)
        for (column, reason), faults in counted.items()
    ]
    return sorted(made, key=lambda group: -group.count)


def _general(reason: str) -> str:
    """Leave out of a reason what differs from row to row."""
    return re.sub(r" \(row \d+\)$", "", reason)
