"""A dataset's profile as the pages show it: per column a small picture and a few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynomaly.server.web import formats

WIDTH, HEIGHT = 120, 28
MINUTES = len("2026-01-01 00:00")
"""Where a time is cut: seconds would only widen the table."""


@dataclass(frozen=True)
class Box:
    """One bar of a small histogram, in the units of its 120 x 28 frame."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ColumnView:
    """One column, ready to show: all text, and the bars of its histogram (none: no picture)."""

    name: str
    type: str
    used: bool
    unused: str
    bars: tuple[Box, ...]
    summary: str
    typical: str
    range: str
    missing: str
    distinct: str


def view(profile: Sequence[dict[str, Any]], n_rows: int, label_column: str | None = None) -> list[ColumnView]:
    """Prepare every column of a profile of `n_rows` rows; the label column is never used for detection."""
    return [_column(measured, n_rows, measured["name"] == label_column) for measured in profile]


def _column(measured: dict[str, Any], n_rows: int, is_label: bool) -> ColumnView:
    unused = "holds the labels" if is_label else measured.get("unused") or ""
    counts = (measured.get("histogram") or {}).get("counts") or []
    span = _range(measured)
    return ColumnView(
        name=measured["name"],
        type=measured["type"],
        used=not unused,
        unused=unused,
        bars=boxes(counts),
        summary=f"Distribution of {measured['name']}, {span}",
        typical=_typical(measured, n_rows),
        range=span,
        missing=_missing(measured.get("missing") or 0, n_rows),
        distinct=formats.count(measured.get("distinct")),
    )


def boxes(counts: Sequence[int]) -> tuple[Box, ...]:
    """Lay out a small histogram; an occupied bin is at least one unit high.

    >>> [box.height for box in boxes([0, 1, 1000])]
    [1.0, 28.0]
    """
    if not counts or not max(counts):
        return ()
    step, full = WIDTH / len(counts), max(counts)
    heights = [max(1.0, round(count / full * HEIGHT, 2)) if count else 0.0 for count in counts]
    return tuple(
        Box(round(place * step, 2), round(HEIGHT - height, 2), round(step * 0.9, 2), height)
        for place, height in enumerate(heights)
        if height
    )


def _typical(measured: dict[str, Any], n_rows: int) -> str:
    """The median of numbers, the most frequent value of others with its share."""
    median = (measured.get("quantiles") or {}).get("p50")
    if median is not None:
        return _show(median)
    top = measured.get("top") or []
    if not top:
        return formats.MISSING
    return f"{formats.value(top[0]['value'])} ({formats.percent(top[0]['count'] / max(n_rows, 1), 2)})"


def _range(measured: dict[str, Any]) -> str:
    low, high = measured.get("min"), measured.get("max")
    if low is None or high is None or measured["type"] not in ("number", "timestamp"):
        return formats.MISSING
    return f"{_show(low)} to {_show(high)}"


def _show(item: Any) -> str:
    if isinstance(item, int | float):
        return formats.number(item)
    return str(item).replace("T", " ")[:MINUTES]


def _missing(missing: int, n_rows: int) -> str:
    return f"{formats.count(missing)} ({formats.percent(missing / max(n_rows, 1), 2)})" if missing else "0"
