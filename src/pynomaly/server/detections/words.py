"""Reasons in the language of the reader: English as they were found, others from the numbers behind them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pynomaly.server.detections.result import ResultRow
from pynomaly.server.web import formats
from pynomaly.server.web.language import DEFAULT, language
from pynomaly.server.web.language import gettext as _

NAMED = 2
"""Reasons that the sentence about a row names."""


def reason(told: Mapping[str, Any]) -> str:
    """Say one reason in a sentence."""
    if language() == DEFAULT:
        return str(told["text"])
    return f"{_clause(told)}."


def summary(row: ResultRow) -> str:
    """Say in a sentence why a row is unusual; empty when that was not worked out."""
    if language() == DEFAULT or row.summary is None:
        return row.summary or ""
    if not row.reasons:
        return _("No column stands out by itself.")
    named = _(", and ").join(map(_clause, row.reasons[:NAMED]))
    start = _("Unusual because %(reasons)s.") if row.is_anomaly else _("Least usual: %(reasons)s.")
    return f"{start % {'reasons': named}} {_closest(row)}".rstrip()


def typical(told: Mapping[str, Any]) -> str:
    """Say what is usual in the column of a reason."""
    expected: Mapping[str, Any] = told.get("expected") or {}
    if "median" in expected:
        median, low, high = (formats.number(expected[name]) for name in ("median", "low", "high"))
        if low == high:
            return median
        return _("%(median)s (%(low)s to %(high)s)") % {"median": median, "low": low, "high": high}
    if "most_frequent" in expected:
        share = formats.percent(expected["share"])
        return _("%(level)s (%(share)s)") % {"level": cut(expected["most_frequent"]), "share": share}
    if "busiest_hour" in expected:
        return _("busiest hour %(hour)s, busiest day %(day)s") % {
            "hour": expected["busiest_hour"],
            "day": _weekday(str(expected["busiest_weekday"])),
        }
    return ""


def cut(text: Any, most: int = 80) -> str:
    """Write a cell short enough for a sentence."""
    written = formats.value(text)
    return written if len(written) <= most else written[: most - 1] + "…"


def _clause(told: Mapping[str, Any]) -> str:
    """Say one reason as a part of a sentence."""
    value, expected = told.get("value"), told.get("expected") or {}
    parts = {"column": cut(told["column"]), "value": cut(value), "typical": typical(told)}
    if value is None:
        return _("%(column)s has no value (usual: %(typical)s)") % parts
    if "median" in expected and isinstance(value, int | float):
        parts["value"] = formats.number(value)
        if value > expected["high"]:
            return _("%(column)s is high at %(value)s (usual: %(typical)s)") % parts
        if value < expected["low"]:
            return _("%(column)s is low at %(value)s (usual: %(typical)s)") % parts
    if "most_frequent" in expected and value != expected["most_frequent"]:
        return _("%(column)s is %(value)s (most often: %(typical)s)") % parts
    return _("%(column)s is %(value)s, unusual in combination (usual: %(typical)s)") % parts


def _closest(row: ResultRow) -> str:
    near = row.nearest_normal
    if near is None:
        return ""
    names: Sequence[str] = [one["column"] for one in row.reasons[:NAMED] if one["column"] in near["values"]]
    has = ", ".join(f"{cut(name)} {cut(near['values'][name])}" for name in names)
    parts = {"row": formats.count(near["row"]), "values": has}
    if not has:
        return _("The closest normal row is row %(row)s.") % parts
    return _("The closest normal row (%(row)s) has %(values)s.") % parts


def _weekday(name: str) -> str:
    return {
        "Monday": _("Monday"),
        "Tuesday": _("Tuesday"),
        "Wednesday": _("Wednesday"),
        "Thursday": _("Thursday"),
        "Friday": _("Friday"),
        "Saturday": _("Saturday"),
        "Sunday": _("Sunday"),
    }.get(name, name)
