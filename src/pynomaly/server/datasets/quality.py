"""What in a dataset deserves a look before results are trusted, from what was measured when it was read."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["serious", "warning", "info"]
Kind = Literal[
    "missing", "constant", "identifier", "text", "unparsed", "mixed", "far_values", "few_values", "dominant",
    "duplicates", "few_rows", "many_categories",
]  # fmt: skip
Profile = Mapping[str, Any]

MANY_MISSING, SOME_MISSING = 0.5, 0.05
"""Shares of missing cells from which a column is a serious case, or one for a warning."""
DUPLICATED = 0.01
DOMINANT = 0.99
MANY_CATEGORIES = 1000
FEW_ROWS = 100
FEW_CODES = 10
FAR = 10.0
"""Interquartile ranges beyond a quartile from which an extreme is named."""
NUMBER = re.compile(r"\s*[-+]?(\d+[.,]?\d*|[.,]\d+)(e[-+]?\d+)?\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; `count` is how many cells or rows it concerns, where that is known."""

    kind: Kind
    severity: Severity
    column: str | None
    detail: str
    suggestion: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """All findings, most severe first; `completeness` is the share of the table's cells that hold a value."""

    completeness: float
    findings: list[Finding]


def assess(
    profile: Sequence[Profile],
    rejects: Sequence[Mapping[str, Any]],
    n_rows: int,
    n_duplicates: int | None,
    label_column: str | None,
) -> Quality:
    """Judge a table by its profile and its rejected cells; the values are not read again."""
    found = [*_of_rows(n_rows, n_duplicates), *_unparsed(rejects)]
    for column in profile:
        if column["name"] != label_column:
            found += _of_column(column, n_rows)
    order: list[Severity] = ["serious", "warning", "info"]
    cells = n_rows * len(profile)
    missing = sum(column["missing"] or 0 for column in profile)
    findings = sorted(found, key=lambda one: order.index(one.severity))
    return Quality(1.0 - missing / cells if cells else 0.0, findings)


def _of_rows(n_rows: int, n_duplicates: int | None) -> Iterator[Finding]:
    if n_rows < FEW_ROWS:
        yield Finding(
            "few_rows",
            "warning",
            None,
            f"There are {n_rows} rows: no p-value is below 1/{n_rows + 1}.",
            "Add rows, if there are more.",
            n_rows,
        )
    if n_duplicates:
        yield Finding(
            "duplicates",
            "warning" if n_duplicates > DUPLICATED * n_rows else "info",
            None,
            f"{n_duplicates:,} rows equal an earlier row in every column.",
            "Remove them if each row should be there once: what occurs often looks normal.",
            n_duplicates,
        )


def _unparsed(rejects: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Count the rejected cells (of the first 1,000) by column and reason."""
    reasons = [(reject["column"], re.sub(r" \(row \d+\)$", "", reject["reason"])) for reject in rejects]
    for (column, reason), count in Counter(reasons).most_common():
        first = rejects[reasons.index((column, reason))]
        line = f"in line {first['line']}" if first["line"] is not None else "first"
        where = "" if column is None else " Or choose another type for the column."
        yield Finding(
            "unparsed",
            "warning",
            column,
            f"{count:,} of its cells could not be read and their rows were left out: {reason}; {line} it "
            f"says {str(first['value'])[:60]!r}."
            if column is not None
            else f"{count:,} lines could not be read and were left out: {reason}; {line} is one.",
            f"Correct them in the file and upload it again.{where}",
            count,
        )


def _of_column(column: Profile, n_rows: int) -> Iterator[Finding]:
    name, missing = column["name"], column["missing"] or 0
    if column["type"] == "constant":
        alone = column["unused"] == "every value is missing"
        yield Finding(
            "constant",
            "serious" if alone else "warning",
            name,
            "It has no value in any row." if alone else "All rows have the same value.",
            "Leave it out; or look why nothing is in it, if something should be." if alone
            else "Leave it out: it tells no row from another.",
            n_rows,
        )  # fmt: skip
        return
    if missing:
        yield _missing(name, missing, missing / n_rows)
    if column["type"] == "id":
        yield Finding(
            "identifier",
            "info",
            name,
            f"Nearly every row has its own value ({column['unused']}): detection leaves it out.",
            "If it measures something, choose the type number.",
            column["distinct"],
        )
    elif column["type"] == "text":
        yield Finding(
            "text",
            "info",
            name,
            f"It is text that detection leaves out ({column['unused']}).",
            "If it names a few kinds of things, choose the type category.",
            column["distinct"],
        )
    if column["top"] is not None:
        yield from _of_words(column, n_rows - missing)
    elif column["type"] == "number":
        yield from _of_numbers(column, n_rows - missing)


def _missing(name: str, missing: int, share: float) -> Finding:
    severity: Severity = (
        "serious" if share >= MANY_MISSING else "warning" if share >= SOME_MISSING else "info"
    )
    told = f"{missing:,} of its cells have no value ({share:.1%})."
    return Finding(
        "missing", severity, name, told, "Fill them in, or leave the column out if it cannot be.", missing
    )


def _of_words(column: Profile, present: int) -> Iterator[Finding]:
    """Look at the most frequent values of a text column."""
    top = column["top"]
    numbers = [entry for entry in top if NUMBER.fullmatch(str(entry["value"]))]
    words = [entry for entry in top if entry not in numbers]
    if numbers and words:
        yield Finding(
            "mixed",
            "warning",
            column["name"],
            f"Among its most frequent values are numbers ({numbers[0]['value']!r}) and text "
            f"({words[0]['value']!r}).",
            "If it should be a number, choose that type: the other cells are then rejected one by one.",
            sum(entry["count"] for entry in words),
        )
    if column["type"] == "category" and column["distinct"] >= MANY_CATEGORIES:
        yield Finding(
            "many_categories",
            "info",
            column["name"],
            f"It has {column['distinct']:,} different values.",
            "Group rare values, if that makes sense: each is seen too seldom to know what is usual.",
            column["distinct"],
        )
    if top and column["distinct"] > 1 and top[0]["count"] > DOMINANT * present:
        yield Finding(
            "dominant",
            "info",
            column["name"],
            f"{top[0]['count'] / present:.2%} of its values are {str(top[0]['value'])[:60]!r}.",
            "Rare values of it will stand out; leave it out if they mean nothing.",
            top[0]["count"],
        )


def _of_numbers(column: Profile, present: int) -> Iterator[Finding]:
    """Look at the extremes of a column of numbers, and whether they may be codes."""
    quantiles, low, high = column["quantiles"], column["min"], column["max"]
    lower, upper = quantiles["p25"], quantiles["p75"]
    width = upper / 4 - lower / 4  # a quarter, so that nothing overflows
    if width > 0:
        for extreme, beyond in ((high, high / 4 - upper / 4), (low, lower / 4 - low / 4)):
            if beyond > FAR * width:
                yield Finding(
                    "far_values",
                    "info",
                    column["name"],
                    f"It reaches {extreme:g}, {beyond / width:,.0f} times the middle half's width beyond it.",
                    "If it stands for a missing value (such as -999), leave those cells empty.",
                )
    whole = all(float(value).is_integer() for value in (low, high))
    if column["distinct"] <= FEW_CODES and whole and column["distinct"] > 2 and present >= FEW_ROWS:
        yield Finding(
            "few_values",
            "info",
            column["name"],
            f"It has only {column['distinct']} different values.",
            "If they are codes and not amounts, choose the type category.",
            column["distinct"],
        )
