"""Charts as numbers that a template can draw: axes that place values in percent of the frame, marks, lines.

An axis on which a few values lie far out is squeezed: the middle of the values is drawn to scale on most of
it, what lies beyond by its logarithm on the rest. So ordinary rows stay apart, and far-out ones are seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import copysign, floor, isfinite, log1p, log10

from pynomaly.server.web import formats
from pynomaly.server.web.histogram import Tick

FAR_OUT = 8
"""An axis is squeezed when its range is so many times that of the middle 90 % of the values."""
BEYOND = 0.7
"""Half the length of what is drawn to scale, times this, is all that a side has for far-out values."""
LEAST_APART = 11
"""Percent of the frame that two ticks keep between them."""
DAY = 86_400
MARGIN = 3
"""Percent of the frame that is left free at each end."""


@dataclass(frozen=True)
class Axis:
    """Where values go, in percent from the low end.

    Of a squeezed axis `centre` and `spread` are the middle and half the length of what is drawn to scale.
    """

    low: float
    high: float
    centre: float = 0.0
    spread: float | None = None
    ticks: tuple[Tick, ...] = ()
    title: str = ""
    is_time: bool = False

    def text(self, value: float) -> str:
        """Write a value."""
        return formats.moment(moment(value)) if self.is_time else formats.number(value)

    def at(self, value: float) -> float:
        """Place a value."""
        low, high = self._bent(self.low), self._bent(self.high)
        share = (self._bent(value) - low) / ((high - low) or 1.0)
        return round(MARGIN + share * (100 - 2 * MARGIN), 2)

    def _bent(self, value: float) -> float:
        if self.spread is None:
            return value
        place = (value - self.centre) / self.spread
        if abs(place) <= 1:
            return place
        end = abs(((self.high if place > 0 else self.low) - self.centre) / self.spread)
        beyond, most = log1p(abs(place) - 1), log1p(max(end, abs(place)) - 1)
        return copysign(1 + beyond * min(1.0, BEYOND / most), place)

    @property
    def squeezed(self) -> bool:
        """Whether far-out values are drawn nearer than they are."""
        return self.spread is not None


def axis(values: Sequence[float], title: str, *, is_time: bool = False, plain: bool = False) -> Axis:
    """Make the axis that shows values; seconds since 1970 when `is_time`; a `plain` one is never squeezed.

    >>> plain = axis([0.0, 5.0, 10.0], "amount")
    >>> plain.at(5.0), [tick.text for tick in plain.ticks], plain.squeezed
    (50.0, ['0', '2.5', '5', '7.5', '10'], False)
    >>> axis([float(n) for n in range(50)] + [90_000.0], "amount").squeezed
    True
    """
    ordered = sorted(value for value in values if isfinite(value)) or [0.0]
    low, high = ordered[0], ordered[-1]
    inner_low, inner_high = (_quantile(ordered, share) for share in (0.05, 0.95))
    if is_time or plain or high - low <= FAR_OUT * (inner_high - inner_low) or inner_high == inner_low:
        bare = Axis(low, high)
        marks = _even(low, high) if is_time else _round(low, high)
    else:
        reach = inner_high - inner_low
        inner_low, inner_high = max(low, inner_low - reach / 2), min(high, inner_high + reach / 2)
        bare = Axis(low, high, (inner_low + inner_high) / 2, (inner_high - inner_low) / 2)
        marks = [high, low, *_round(inner_low, inner_high)]
    text: Callable[[float], str] = _time_text(high - low) if is_time else formats.number
    ticks = _apart([Tick(bare.at(mark), text(mark)) for mark in marks])
    return Axis(bare.low, bare.high, bare.centre, bare.spread, ticks, title, is_time)


def shares(title: str) -> Axis:
    """Make an axis from 0 to 1."""
    bare = Axis(0.0, 1.0)
    ticks = tuple(Tick(bare.at(n / 4), formats.percent(n / 4)) for n in (0, 2, 4))
    return Axis(0.0, 1.0, ticks=ticks, title=title)


@dataclass(frozen=True)
class Line:
    """A line through points (percent of the frame, from the left and from the top)."""

    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        """What an SVG path draws, in a view box of 100 by 100."""
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in self.points) if self.points else ""


def dots(points: Sequence[tuple[float, float]]) -> str:
    """Give a path of round dots (a stroke with round ends), in a view box of 100 by 100.

    >>> dots([(1.5, 2.0), (3.0, 4.0)])
    'M1.5 2h0M3 4h0'
    """
    return "".join(f"M{x:g} {y:g}h0" for x, y in points)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[round(share * (len(ordered) - 1))]


def _round(low: float, high: float) -> list[float]:
    """List round numbers from low to high, four or so."""
    span = high - low
    if span <= 0:
        return [low]
    raw = span / 4
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    first = floor(low / step)
    return [step * n for n in range(first, first + 8) if low - step * 1e-9 <= step * n <= high + step * 1e-9]


def _even(low: float, high: float) -> list[float]:
    return [low + (high - low) * place / 3 for place in range(4)]


def _apart(ticks: list[Tick]) -> tuple[Tick, ...]:
    """Leave out ticks that are too near one that comes before them in the list."""
    kept: list[Tick] = []
    for tick in ticks:
        if all(abs(tick.at - other.at) >= LEAST_APART for other in kept):
            kept.append(tick)
    return tuple(sorted(kept, key=lambda tick: tick.at))


def _time_text(span: float) -> Callable[[float], str]:
    """Choose how to write times that lie so many seconds apart: days, or minutes too."""
    write = formats.day if span > 5 * DAY else formats.moment
    return lambda seconds: write(moment(seconds))


def moment(seconds: float) -> datetime:
    """Give the time that is so many seconds after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)
