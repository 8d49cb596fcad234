"""Small pictures without axes: a score histogram in a table's cell, a trend over time.

Both are drawn in a box of 100 by 100 that the page stretches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any

MOST_BARS = 40


@dataclass(frozen=True)
class Spark:
    """A histogram as two SVG paths: the bars up to the threshold, and those above it."""

    below: str
    above: str


@dataclass(frozen=True)
class Trend:
    """A line as an SVG path, its points as another one (lines without length), the highest value."""

    line: str
    dots: str
    highest: float


def histogram(scores: dict[str, Any] | None, threshold: float | None) -> Spark | None:
    """Draw `{edges, counts}`, upwards on a logarithmic scale; None when there is nothing to draw.

    >>> histogram({"edges": [0, 1, 2], "counts": [1, 1]}, 1)
    Spark(below='M0 100V0H50V100', above='M50 100V0H100V100')
    """
    if not scores or not scores["counts"] or not max(scores["counts"]):
        return None
    edges, counts = scores["edges"], scores["counts"]
    step = -(-len(counts) // MOST_BARS)
    starts = range(0, len(counts), step)
    sums = [sum(counts[start : start + step]) for start in starts]
    full = log1p(max(sums))
    parts: dict[bool, list[str]] = {False: [], True: []}
    for start, total in zip(starts, sums, strict=True):
        if not total:
            continue
        stop = min(start + step, len(counts))
        above = threshold is not None and (edges[start] + edges[stop]) / 2 > threshold
        left, right = start / len(counts) * 100, stop / len(counts) * 100
        top = 100 - log1p(total) / full * 100
        parts[above].append(f"M{left:g} 100V{round(top, 1):g}H{right:g}V100")
    return Spark("".join(parts[False]), "".join(parts[True]))


def trend(values: Sequence[float]) -> Trend | None:
    """Draw values one after the other, from 0 upwards; None with fewer than two.

    >>> trend([1.0, 2.0])
    Trend(line='M0 50L100 0', dots='M0 50h0M100 0h0', highest=2.0)
    """
    if len(values) < 2:
        return None
    highest = max(values) or 1.0
    step = 100 / (len(values) - 1)
    points = [
        (round(place * step, 2), round(100 - value / highest * 100, 2)) for place, value in enumerate(values)
    ]
    line = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
    return Trend(line, "".join(f"M{x:g} {y:g}h0" for x, y in points), max(values))
