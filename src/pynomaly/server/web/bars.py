"""A bar for each day as numbers that a template can draw: places and sizes in percent of the frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

LEAST = 3.0
"""Percent of the frame's height that any bar has, so that one among thousands is seen."""

GAP = 0.25
"""Share of a bar's place that stays empty."""


@dataclass(frozen=True)
class Bar:
    """One day's bar; height 0: there was nothing."""

    day: datetime
    count: int
    x: float
    y: float
    width: float
    height: float


def draw(days: Sequence[tuple[datetime, int]]) -> list[Bar]:
    """Lay out the bars, the highest one as high as the frame.

    >>> [bar.height for bar in draw([(datetime(2026, 1, day), n) for day, n in ((1, 50), (2, 100), (3, 0))])]
    [50.0, 100.0, 0.0]
    """
    most = max((count for _, count in days), default=0)
    step = 100 / max(len(days), 1)
    made = []
    for place, (day, count) in enumerate(days):
        height = round(max(LEAST, count / most * 100), 2) if count else 0.0
        x = round((place + GAP / 2) * step, 3)
        made.append(Bar(day, count, x, round(100 - height, 2), round((1 - GAP) * step, 3), height))
    return made
