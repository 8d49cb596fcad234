"""What is usual in a column: a summary of the training rows, and a value compared with it in words."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.features import DAY, CategoryFeatures, micros, number

_TAIL_SHARES = np.linspace(0, 0.02, 41)
SHARES = np.concatenate([_TAIL_SHARES, np.linspace(0.02, 0.98, 193)[1:-1], 1 - _TAIL_SHARES[::-1]])
"""The shares of rows at which a number's quantiles are kept: finest in the tails."""

TAIL = 0.9
"""A value above (below) this share of the training rows is called high (low)."""

EXTREME = 0.99
"""The greatest value is called so when this share of the rows is below it, and not when many rows have it."""

OFTEN = 0.05
"""A level that this share of the training rows has is not called rare."""

ALONE = "ordinary in size, but with few rows near it"
NEAR, FEW = 0.05, 0.0125
"""Few rows are near a number when less than this share is within this part of the usual range of it."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

MISSING = "missing"
Grid = NDArray[np.float64]


class Typical(Protocol):
    """One column's summary."""

    @property
    def expected(self) -> dict[str, Any]:
        """What is usual, as JSON values."""
        ...

    def say(self, value: Any) -> str:
        """Write a value (None: missing) for people."""
        ...

    def compare(self, value: Any, otherwise: str) -> str:
        """Say how a value (None: missing) differs from what is usual, to follow the column's name.

        `otherwise` is said of a value that is usual by itself.
        """
        ...


@dataclass(frozen=True)
class TypicalNumber:
    """The quantiles of the values that are present at `SHARES`, and the share that is missing."""

    kind: ClassVar[str] = "number"
    grid: Grid
    missing: float

    @classmethod
    def fit(cls, values: NDArray[np.float64]) -> "TypicalNumber":
        """Summarise float64 values with NaN for missing (at least one present)."""
        ordered = np.sort(values)  # NaN last
        n = len(ordered) - int(np.isnan(ordered).sum())
        grid = ordered[np.rint(SHARES * (n - 1)).astype(np.intp)]
        return cls(grid, 1 - n / len(values))

    @cached_property
    def expected(self) -> dict[str, Any]:
        """The median and the range of the middle 90 % of the rows."""
        low, median, high = (self._quantile(share) for share in (0.05, 0.5, 0.95))
        return {"median": median, "low": low, "high": high}

    @cached_property
    def typical(self) -> str:
        """The median and the usual range in words."""
        low, median, high = (show(self.expected[part]) for part in ("low", "median", "high"))
        return f"typically {median}" if low == high else f"typically {median}, mostly {low} to {high}"

    def below(self, value: float) -> float:
        """Share of the training rows that are smaller, rounded down to the grid."""
        at = bisect_left(self.cuts, value)
        return 1.0 if at == len(SHARES) else float(SHARES[max(at - 1, 0)])

    def above(self, value: float) -> float:
        """Share of the training rows that are larger, rounded down to the grid."""
        at = bisect_right(self.cuts, value)
        return 1.0 - float(SHARES[min(at, len(SHARES) - 1)]) if at else 1.0

    def say(self, value: float | None) -> str:
        """Write a number for people."""
        return MISSING if value is None else show(value)

    def compare(self, value: float | None, otherwise: str) -> str:
        """Say where a number lies among the training rows."""
        if value is None:
            return missing_as(self.missing)
        place = self._place(value) or (ALONE if self._is_alone(value) else otherwise)
        if 1 - self.missing < OFTEN:
            seldom = f"though only {percent(1 - self.missing)} of rows have a value"
            place = seldom if place == otherwise else f"{place}, {seldom}"
        return f"{show(value)}, {place} ({self.typical})"

    @cached_property
    def cuts(self) -> list[float]:
        """The grid as a list, which is quicker to search for one value."""
        cuts: list[float] = self.grid.tolist()
        return cuts

    def _place(self, value: float) -> str:
        """Say how far out a number lies; nothing when it is among the usual ones."""
        ends = (
            (self.below(value), value == self.cuts[-1], "higher", "highest"),
            (self.above(value), value == self.cuts[0], "lower", "lowest"),
        )
        for share, at_end, word, most in ends:
            if share == 1:
                return f"{word} than in any training row"
            if share >= TAIL:
                rare_end = at_end and share >= EXTREME
                return (
                    f"the {most} value in training" if rare_end else f"{word} than {percent(share)} of rows"
                )
        return ""

    def _is_alone(self, value: float) -> bool:
        """Tell whether hardly any training row is near, as between two groups of rows."""
        reach = NEAR * self.expected["high"] - NEAR * self.expected["low"]
        before = bisect_left(self.cuts, value - reach) - 1
        after = bisect_right(self.cuts, value + reach)
        return float(SHARES[min(after, len(SHARES) - 1)] - SHARES[max(before, 0)]) < FEW

    def _quantile(self, share: float) -> float:
        return float(self.grid[int(np.searchsorted(SHARES, share - 1e-9))])


@dataclass(frozen=True)
class TypicalCategory:
    """The levels and how frequent they are, as the encoder counted them."""

    kind: ClassVar[str] = "category"
    features: CategoryFeatures

    @cached_property
    def expected(self) -> dict[str, Any]:
        """The most frequent level and its share of the rows."""
        level, count = self.features.levels[0], self.features.counts[0]
        return {"most_frequent": level, "share": count / self.features.rows}

    def share(self, value: str | None) -> float:
        """Share of the training rows with this level; for one of the many rare levels that of their mean."""
        place = self.features.place.get(value)
        count = (self.features.pooled or 0) if place is None else self.features.counts[place]
        return count / self.features.rows

    def say(self, value: str | None) -> str:
        """Quote a level."""
        return MISSING if value is None else quote(value)

    def compare(self, value: str | None, otherwise: str) -> str:
        """Say how frequent a level is."""
        usual = self.expected
        word = self.say(value)
        share = self.share(value)
        if value == usual["most_frequent"]:
            return f"{word}, the most frequent value ({percent(share)} of rows), {otherwise}"
        most = self.say(usual["most_frequent"])
        typical = f"most often {most}, {percent(usual['share'])}"
        if not share:
            return f"{word}, never seen in training ({typical})"
        if share >= OFTEN:
            return f"{word}, as in {percent(share)} of rows: {otherwise} ({typical})"
        return f"{word}, as in only {percent(share)} of rows ({typical})"


@dataclass(frozen=True)
class TypicalTimestamp:
    """How many training rows fall in each hour of the day and each day of the week."""

    kind: ClassVar[str] = "timestamp"
    hours: tuple[int, ...]
    weekdays: tuple[int, ...]
    missing: float
    cycles: tuple[str, ...]

    @classmethod
    def fit(cls, values: NDArray[np.datetime64], cycles: tuple[str, ...]) -> "TypicalTimestamp":
        """Summarise datetime64 values with NaT for missing."""
        at = micros(values[~np.isnat(values)])
        hours = np.bincount(at % DAY // (DAY // 24), minlength=24)
        weekdays = np.bincount((at // DAY + 3) % 7, minlength=7)  # 1970-01-01 was a Thursday
        return cls(tuple(hours.tolist()), tuple(weekdays.tolist()), 1 - len(at) / len(values), cycles)

    @cached_property
    def expected(self) -> dict[str, Any]:
        """The busiest hour and the busiest day of the week with their shares of the rows."""
        total = max(sum(self.hours), 1)
        hour, day = self.hours.index(max(self.hours)), self.weekdays.index(max(self.weekdays))
        return {
            "busiest_hour": f"{hour:02}:00",
            "hour_share": self.hours[hour] / total,
            "busiest_weekday": WEEKDAYS[day],
            "weekday_share": self.weekdays[day] / total,
        }

    def say(self, value: str | None) -> str:
        """Write a time in UTC, to the minute."""
        return MISSING if value is None else f"{in_utc(value):%Y-%m-%d %H:%M}"

    def compare(self, value: str | None, otherwise: str) -> str:
        """Say how many rows fall at this hour, or on this day of the week where that is rarer."""
        if value is None:
            return missing_as(self.missing)
        at = in_utc(value)
        total = max(sum(self.hours), 1)
        in_hour, on_day = self.hours[at.hour] / total, self.weekdays[at.weekday()] / total
        usual = self.expected
        shown = self.say(value)
        if "time of day" in self.cycles and in_hour * 24 <= on_day * 7:
            share, when = in_hour, f"from {at.hour:02}:00 to {(at.hour + 1) % 24:02}:00"
            typical = f"busiest hour {usual['busiest_hour']}, {percent(usual['hour_share'])}"
            usually = in_hour * 24 >= 1
        else:
            share, when = on_day, f"on a {WEEKDAYS[at.weekday()]}"
            typical = f"busiest day {usual['busiest_weekday']}, {percent(usual['weekday_share'])}"
            usually = on_day * 7 >= 1
        if usually:
            return f"{shown}, {otherwise}"
        few = f"only {percent(share)} of" if share else "no"
        return f"{shown}; {few} rows fall {when} ({typical})"


def show(value: float) -> str:
    """Write a number for people: thousands separated, four significant digits below a thousand.

    >>> show(1234567.8), show(0.123456), show(12.0), show(2.5e-9)
    ('1,234,568', '0.1235', '12', '2.5e-09')
    """
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if 1000 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def percent(share: float) -> str:
    """Write a share as a percentage that never rounds to all or nothing.

    >>> percent(0.5), percent(0.99951), percent(0.00012), percent(0.00001)
    ('50 %', '99.95 %', '0.012 %', 'less than 0.01 %')
    """
    if 0 < share < 1e-4:
        return "less than 0.01 %"
    digits = 0 if 0.1 <= share <= 0.9 or share in {0.0, 1.0} else 1
    scaled = share * 100
    if share < 0.001 or share > 0.999:
        return f"{math.floor(scaled * 1000 + 1e-6) / 1000:.4g} %"
    return f"{scaled:.{digits}f}".removesuffix(".0") + " %"


def in_utc(text: str) -> datetime:
    """Read an ISO 8601 time; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at


def missing_as(share: float) -> str:
    """Say how frequent missing values are.

    >>> missing_as(0.02), missing_as(0.0)
    ('missing, as in 2 % of rows', 'missing, as in no row in training')
    """
    return f"missing, as in {percent(share)} of rows" if share else "missing, as in no row in training"


def quote(level: str, most: int = 40) -> str:
    """Quote a level, shortened when it is long."""
    return repr(level if len(level) <= most else level[: most - 1] + "…")


def timestamp_from_json(state: Mapping[str, Any], cycles: tuple[str, ...]) -> TypicalTimestamp:
    """Rebuild a timestamp's summary; raises ValueError or TypeError when it makes no sense."""
    counts = {name: tuple(state[name]) for name in ("hours", "weekdays")}
    for name, size in (("hours", 24), ("weekdays", 7)):
        if len(counts[name]) != size or not all(type(n) is int and 0 <= n < 2**53 for n in counts[name]):
            raise ValueError(name)
    return TypicalTimestamp(counts["hours"], counts["weekdays"], share_of(state["missing"]), cycles)


def share_of(value: Any) -> float:
    """Check that a JSON value is a share, from 0 to 1."""
    if not 0 <= number(value) <= 1:
        raise ValueError("not a share")
    return float(value)
