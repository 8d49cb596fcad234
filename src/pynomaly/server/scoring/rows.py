"""Rows of JSON against a model's columns: what is missing, unknown or of the wrong type is named."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pynomaly.errors import BadValue

Cells = list[list[Any]]


def checked(rows: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]]) -> Cells:
    """Give the cells of each row in the order of `columns` (name and type of each), fit for the model.

    A number column takes numbers, a timestamp column ISO 8601 text, any other one text; null is a missing
    value.

    Raises:
        BadValue: a column is missing or unknown, or a value has the wrong type.
    """
    names = [str(column["name"]) for column in columns]
    checks = [_CHECKS.get(str(column["type"]), _text) for column in columns]
    return [_row(place, row, names, checks) for place, row in enumerate(rows)]


def _row(place: int, row: Mapping[str, Any], names: list[str], checks: list[Any]) -> list[Any]:
    if len(row) != len(names) or any(name not in row for name in names):
        _refuse_columns(place, row, names)
    cells = []
    for name, check in zip(names, checks, strict=True):
        value = row[name]
        try:
            cells.append(None if value is None else check(value))
        except ValueError as error:
            raise _wrong(place, name, str(error)) from None
    return cells


def _refuse_columns(place: int, row: Mapping[str, Any], names: list[str]) -> None:
    known = set(names)
    for name in names:
        if name not in row:
            raise _wrong(place, name, "the model needs this column; null stands for a missing value")
    for name in row:
        if name not in known:
            raise _wrong(place, name, "the model does not use such a column")


def _wrong(place: int, name: str, what: str) -> BadValue:
    step = name.replace("~", "~0").replace("/", "~1")[:200]
    return BadValue(f"Row {place}, column {name[:200]!r}: {what}.", pointer=f"#/rows/{place}/{step}")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ValueError("a finite number is needed")
    return float(value)


def _timestamp(value: Any) -> str:
    """Write a moment as the model reads it: in UTC, without a zone."""
    try:
        moment = datetime.fromisoformat(value)
        return (moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment).isoformat()
    except (ValueError, TypeError, OverflowError):
        raise ValueError("a timestamp as ISO 8601 text is needed") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text is needed")  # noqa: TRY004 - all that is wrong with a value is one thing here
    return value


_CHECKS: Mapping[str, Any] = {"number": _number, "timestamp": _timestamp}
