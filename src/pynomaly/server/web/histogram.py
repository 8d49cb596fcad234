"""The score histogram as numbers that a template can draw: bars and ticks in percent of the frame.

Counts are drawn on a logarithmic scale (log of 1 + rows): the few anomalous rows would not be seen otherwise.
"""

from dataclasses import dataclass
from math import log1p
from typing import Any

from pynomaly.server.web import formats


@dataclass(frozen=True)
class Bar:
    """One bar: place and size in percent of the frame, `y` from the top."""

    x: float
    y: float
    width: float
    height: float
    low: float
    high: float
    count: int
    anomalous: bool

    @property
    def low_text(self) -> str:
        """Where it begins."""
        return formats.aligned(self.low, self.high - self.low)

    @property
    def high_text(self) -> str:
        """Where it ends."""
        return formats.aligned(self.high, self.high - self.low)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: `at` in percent of the frame (from the left, or from the top)."""

    at: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """A histogram ready to draw; `cut` is the threshold's place, None when it lies outside."""

    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    cut: float | None
    threshold: float | None

    def json(self) -> dict[str, Any]:
        """Give the data to the script that draws over the picture."""
        return {
            "labels": [f"{bar.low_text} to {bar.high_text}" for bar in self.bars],
            "starts": [bar.low_text for bar in self.bars],
            "counts": [bar.count for bar in self.bars],
            "anomalous": [bar.anomalous for bar in self.bars],
            "cut": self.cut,
            "threshold": formats.number(self.threshold),
        }


def draw(
    histogram: dict[str, Any] | None, threshold: float | None = None, n_ticks: int = 4
) -> Histogram | None:
    """Lay out `{edges, counts}`; None when there is nothing to draw.

    >>> picture = draw({"edges": [0.0, 1.0, 2.0], "counts": [9, 0]}, threshold=1.0)
    >>> [bar.height for bar in picture.bars], picture.cut
    ([100.0, 0.0], 50.0)
    """
    if not histogram or not histogram["counts"] or not max(histogram["counts"]):
        return None
    edges, counts = histogram["edges"], histogram["counts"]
    low, span = edges[0], (edges[-1] - edges[0]) or 1.0
    full = log1p(max(counts))
    step = 100 / len(counts)
    bars = tuple(
        _bar(place * step, step, log1p(count) / full * 100, edges[place], edges[place + 1], count, threshold)
        for place, count in enumerate(counts)
    )
    marks = [low + span * place / n_ticks for place in range(n_ticks + 1)]
    inside = threshold is not None and low <= threshold <= edges[-1]
    return Histogram(
        bars=bars,
        x_ticks=tuple(
            Tick(round((mark - low) / span * 100, 3), formats.aligned(mark, span / n_ticks)) for mark in marks
        ),
        y_ticks=tuple(
            Tick(round(100 - log1p(rows) / full * 100, 3), formats.count(rows)) for rows in _powers(counts)
        ),
        cut=round((threshold - low) / span * 100, 3) if inside and threshold is not None else None,
        threshold=threshold,
    )


def _bar(
    x: float, width: float, height: float, low: float, high: float, count: int, cut: float | None
) -> Bar:
    anomalous = cut is not None and (low + high) / 2 > cut
    return Bar(
        round(x, 3), round(100 - height, 3), round(width, 3), round(height, 3), low, high, count, anomalous
    )


def _powers(counts: list[int]) -> list[int]:
    """List 1, 10, 100, … up to the largest count."""
    powers = [1]
    while powers[-1] * 10 <= max(counts):
        powers.append(powers[-1] * 10)
    return powers
