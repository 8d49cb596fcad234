"""What a person may say of a dataset's columns, checked by what is known of them; the data is not read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from pynomaly.errors import BadValue, LabelError
from pynomaly.server.names import check_column
from pynomaly.tables.table import LABELS

ChosenType = Literal["number", "category", "timestamp", "text", "id"]
"""The types that a column can be read as; `constant` is found, not chosen."""
CHOSEN_TYPES: tuple[ChosenType, ...] = get_args(ChosenType)
MOST_DESCRIPTION = 10_000
DELIMITERS = (",", ";", "\t", "|", " ", ":", "^", "~")
QUOTES = ('"', "'", "")
DECIMALS = (".", ",")
ENCODINGS = (
    "utf-8", "utf-16", "windows-1252", "latin-1", "iso-8859-15", "windows-1250", "windows-1251", "koi8-r",
    "mac-roman", "shift_jis", "gb18030", "euc-kr", "big5",
)  # fmt: skip
CHOICES: Mapping[str, Sequence[Any]] = {
    "delimiter": DELIMITERS,
    "quote": QUOTES,
    "encoding": ENCODINGS,
    "header": (True, False),
    "decimal": DECIMALS,
}
"""What can be said of how a file is written."""


def parse_types(text: str) -> dict[str, ChosenType]:
    """Read the form's field `types`: a JSON object of column names and types.

    Raises:
        BadValue: it is not that.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadValue("types is a JSON object of column names and types.", pointer="#/types") from error
    if not isinstance(given, dict):
        raise BadValue("types is a JSON object of column names and types.", pointer="#/types")
    return check_types(given)


def check_types(given: Mapping[str, Any], columns: Sequence[Mapping[str, Any]] = ()) -> dict[str, ChosenType]:
    """Check chosen types; with `columns`, that they are a table's.

    Raises:
        BadValue: there is no such column or type.
    """
    known = {column["name"] for column in columns}
    for name, kind in given.items():
        check_column(name, "types")
        if kind not in CHOSEN_TYPES:
            listed = ", ".join(CHOSEN_TYPES)
            raise BadValue(f"Column {name!r} can be read as {listed}, not as {kind!r}.", pointer="#/types")
        if known and name not in known:
            raise BadValue(f"There is no column {name!r}.", pointer="#/types")
    return dict(given)


def check_choice(given: Mapping[str, Any]) -> dict[str, Any]:
    """Check what somebody says of how a file is written; None, like what is left out, is found.

    Raises:
        BadValue: there is no such mark or encoding.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    for name, value in chosen.items():
        if name not in CHOICES:
            raise BadValue(f"A dialect has {', '.join(CHOICES)}, no {name[:100]!r}.", pointer="#/dialect")
        if not any(value is known or value == known for known in CHOICES[name] if type(value) is type(known)):
            listed = ", ".join(json.dumps(known) for known in CHOICES[name])
            raise BadValue(f"The {name} is one of {listed}.", pointer=f"#/dialect/{name}")
    return chosen


def parse_choice(text: str) -> dict[str, Any]:
    """Read the form's field `dialect`: a JSON object of what is known of how the file is written.

    Raises:
        BadValue: it is not that.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadValue("dialect is a JSON object.", pointer="#/dialect") from error
    if not isinstance(given, dict):
        raise BadValue("dialect is a JSON object.", pointer="#/dialect")
    return check_choice(given)


def check_description(text: str) -> str:
    """Return a description without surrounding blanks; raises BadValue when it is too long."""
    if len(text) > MOST_DESCRIPTION:
        raise BadValue(f"The description has at most {MOST_DESCRIPTION} characters.", pointer="#/description")
    return text.strip()


def check_label(name: str, columns: Sequence[Mapping[str, Any]], profile: Sequence[Mapping[str, Any]]) -> str:
    """Check by its profile that a column can hold the labels: two values that mean normal and anomaly.

    Raises:
        BadValue: there is no such column.
        LabelError: it has missing or other values.
    """
    if name not in {column["name"] for column in columns}:
        raise BadValue(f"There is no column {name!r}.", pointer="#/label_column")
    [found] = [column for column in profile if column["name"] == name]
    if found["missing"] or not _is_binary(found):
        raise LabelError(
            f"Column {name!r} cannot hold the labels: they are 0/1, true/false, yes/no or normal/anomaly, "
            "with none missing."
        )
    return name


def _is_binary(column: Mapping[str, Any]) -> bool:
    if column["top"] is not None:
        values = [str(entry["value"]).strip().lower() for entry in column["top"]]
        return len(values) == column["distinct"] and all(value in LABELS for value in values)
    return column["distinct"] <= 2 and column["min"] in (0, 1) and column["max"] in (0, 1)
