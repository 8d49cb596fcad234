"""How one column becomes numbers: what each kind of column learns in training and which features it gives.

Every encoder here is fitted once, is plain JSON in a saved model, and encodes a row by itself: the other rows
of its batch never matter.
"""

import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Column, ColumnData, Levels

Kind = Literal["number", "category", "timestamp"]
Matrix = NDArray[np.float64]
Values = NDArray[np.float64] | NDArray[np.datetime64] | Levels

LEVELS_MOST = 10_000
"""Levels of a category that are remembered by name, the most frequent first."""

DAY = 86_400_000_000  # microseconds
CYCLES = {"time of day": DAY, "day of week": 7 * DAY, "time of year": int(365.2425 * DAY)}
"""Name -> length in microseconds of the cycles that a timestamp is placed in."""


class ColumnFeatures(Protocol):
    """One column's encoder."""

    kind: ClassVar[Kind]

    @property
    def names(self) -> tuple[str, ...]:
        """What each feature says, for people; the length is the number of features."""
        ...

    def write(self, values: Any, out: Matrix) -> None:
        """Encode `values` (n rows) into `out`, shape (n, len(names)), which is filled with zeros."""
        ...

    def json(self) -> dict[str, Any]:
        """All that was learned, as JSON values."""
        ...


@dataclass(frozen=True)
class NumberFeatures:
    """A number: its value, missing ones replaced by the training median, and whether it was missing.

    The second feature exists only when training rows had missing values; without it, a missing value is
    scored as the median would be.
    """

    kind: ClassVar[Kind] = "number"
    median: float
    indicator: bool

    @classmethod
    def fit(cls, values: NDArray[np.float64]) -> "NumberFeatures":
        """Learn from float64 values with NaN for missing (at least one present)."""
        ordered = np.sort(values)  # NaN last
        n = int(np.searchsorted(ordered, np.nan))
        below, above = ordered[(n - 1) // 2], ordered[n // 2]
        median = below if below == above else below * 0.5 + above * 0.5  # their sum may overflow
        return cls(float(median), n < len(values))

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "NumberFeatures":
        """Rebuild; raises ValueError or TypeError when `state` makes no sense."""
        return cls(number(state["median"]), flag(state["indicator"]))

    @property
    def names(self) -> tuple[str, ...]:
        """The value, and whether it is missing."""
        return ("value", "missing") if self.indicator else ("value",)

    def write(self, values: NDArray[np.float64], out: Matrix) -> None:
        """Encode float64 values with NaN for missing."""
        missing = np.isnan(values)
        out[:, 0] = values
        if missing.any():
            out[missing, 0] = self.median
        if self.indicator:
            out[:, 1] = missing

    def json(self) -> dict[str, Any]:
        """All that was learned, as JSON values."""
        return {"kind": self.kind} | asdict(self)


@dataclass(frozen=True)
class CategoryFeatures:
    """A category: how rare its level is; with two levels, whether it is the rarer one.

    Rarity is -log(share of the training rows), in nats: one feature however many levels, where an indicator
    for each would drown the other columns in forests. Missing is a level of its own (None) when training rows
    had missing values. A level that training did not have counts as seen half a time, or as the rarer one of
    two; `pooled` is the mean count of the levels past the first `LEVELS_MOST`, which share one rarity.
    """

    kind: ClassVar[Kind] = "category"
    levels: tuple[str | None, ...]  # most frequent first
    counts: tuple[int, ...]
    rows: int
    pooled: float | None = None

    @classmethod
    def fit(cls, values: Levels) -> "CategoryFeatures":
        """Learn from dictionary-encoded strings (at least one row)."""
        counted = np.bincount(values.codes + 1, minlength=len(values.levels) + 1).tolist()
        named: Sequence[str | None] = (None, *values.levels)
        tally: Counter[str | None] = Counter()
        for level, count in zip(named, counted, strict=True):
            if count:
                tally[level] += count
        ordered = sorted(tally.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
        kept, rest = ordered[:LEVELS_MOST], ordered[LEVELS_MOST:]
        pooled = sum(count for _, count in rest) / len(rest) if rest else None
        return cls(tuple(k for k, _ in kept), tuple(c for _, c in kept), len(values.codes), pooled)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "CategoryFeatures":
        """Rebuild; raises ValueError or TypeError when `state` makes no sense."""
        levels, counts, rows, pooled = state["levels"], state["counts"], state["rows"], state["pooled"]
        if not isinstance(levels, list) or not isinstance(counts, list) or not isinstance(rows, int):
            raise TypeError("levels")
        if not 0 < len(levels) == len(counts) <= LEVELS_MOST or len(set(levels)) < len(levels):
            raise ValueError("levels")
        if not all(level is None or isinstance(level, str) for level in levels):
            raise TypeError("levels")
        if not all(type(count) is int and 0 < count <= rows < 2**53 for count in counts):
            raise ValueError("counts")
        if pooled is not None and not 0 < number(pooled) <= rows:
            raise ValueError("pooled")
        return cls(tuple(levels), tuple(counts), rows, pooled)

    @property
    def names(self) -> tuple[str, ...]:
        """One name, or none when there is nothing to tell apart."""
        if len(self.levels) == 2:
            return ("missing" if self.levels[1] is None else f"is {self.levels[1]}",)
        return ("rarity",) if len(self.levels) > 2 else ()

    @cached_property
    def place(self) -> dict[str | None, int]:
        """Level -> its place by frequency, 0 for the most frequent."""
        return {level: i for i, level in enumerate(self.levels)}

    @cached_property
    def encoded(self) -> Matrix:
        """The feature's value for each level; the last entry is that of an unknown level."""
        if len(self.levels) == 2:
            return np.array([0.0, 1.0, 1.0])
        counts = np.array([*self.counts, self.pooled or 0.5])
        return np.asarray(-np.log(counts / self.rows), dtype=np.float64)

    def write(self, values: Levels, out: Matrix) -> None:
        """Encode dictionary-encoded strings."""
        used, inverse = np.unique(values.codes, return_inverse=True)
        named = [None if code < 0 else values.levels[code] for code in used.tolist()]
        place = [self.place.get(level, -1) for level in named]
        out[:, 0] = self.encoded[place][inverse]

    def json(self) -> dict[str, Any]:
        """All that was learned, as JSON values."""
        state = asdict(self)
        return {"kind": self.kind} | state | {"levels": list(self.levels), "counts": list(self.counts)}


@dataclass(frozen=True)
class TimestampFeatures:
    """A timestamp: its place in each cycle that the training rows show, as sine and cosine.

    Time of day is used when any training row is not at midnight, day of week when they span 14 days, time of
    year when they span two years. The date itself is no feature: a later row is not unusual for being later.
    A missing timestamp is in the middle of every cycle (0, 0), with an indicator as for numbers.
    """

    kind: ClassVar[Kind] = "timestamp"
    cycles: tuple[str, ...]
    indicator: bool

    @classmethod
    def fit(cls, values: NDArray[np.datetime64]) -> "TimestampFeatures":
        """Learn from datetime64 values with NaT for missing."""
        missing = np.isnat(values)
        at = micros(values[~missing])
        span = int(at.max()) - int(at.min()) if len(at) else 0
        shown = (bool((at % DAY).any()), span >= 14 * DAY, span >= 2 * CYCLES["time of year"])
        cycles = tuple(name for name, wanted in zip(CYCLES, shown, strict=True) if wanted)
        return cls(cycles, bool(missing.any()))

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "TimestampFeatures":
        """Rebuild; raises ValueError or TypeError when `state` makes no sense."""
        cycles = state["cycles"]
        if not isinstance(cycles, list) or cycles != [name for name in CYCLES if name in cycles]:
            raise ValueError("cycles")
        return cls(tuple(cycles), flag(state["indicator"]))

    @property
    def names(self) -> tuple[str, ...]:
        """Two names for each cycle, and whether it is missing."""
        parts = tuple(f"{name} ({part})" for name in self.cycles for part in ("sine", "cosine"))
        return (*parts, "missing") if self.indicator else parts

    def write(self, values: NDArray[np.datetime64], out: Matrix) -> None:
        """Encode datetime64 values with NaT for missing."""
        present = ~np.isnat(values)
        at = micros(values)
        for i, name in enumerate(self.cycles):
            angle = (at % CYCLES[name]) * (2 * math.pi / CYCLES[name])
            out[:, 2 * i] = np.where(present, np.sin(angle), 0.0)
            out[:, 2 * i + 1] = np.where(present, np.cos(angle), 0.0)
        if self.indicator:
            out[:, -1] = ~present

    def json(self) -> dict[str, Any]:
        """All that was learned, as JSON values."""
        return {"kind": self.kind, "cycles": list(self.cycles), "indicator": self.indicator}


def micros(values: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Microseconds since 1970-01-01."""
    return values.astype("datetime64[us]").astype(np.int64)


def kind_of(data: ColumnData) -> Kind:
    """Tell how the column's values are held: number, timestamp or category (strings)."""
    if isinstance(data.values, Levels):
        return "category"
    return "timestamp" if data.values.dtype.kind == "M" else "number"


def fit_column(data: ColumnData) -> ColumnFeatures:
    """Fit the encoder that suits the column's values."""
    fitted: ColumnFeatures = KINDS[kind_of(data)].fit(data.values)
    return fitted


def missing_values(kind: Kind, rows: int) -> Values:
    """Values of a column in which everything is missing."""
    if kind == "category":
        return Levels(np.full(rows, -1, dtype=np.int32), ())
    if kind == "timestamp":
        return np.full(rows, "NaT", dtype="datetime64[us]")
    return np.full(rows, np.nan)


def column_of(column: Column, cells: Sequence[Any]) -> ColumnData:
    """Make a number, category or timestamp column of JSON values (None: missing; timestamps as ISO 8601)."""
    if column.type == "number":
        return ColumnData(column, np.array([np.nan if c is None else c for c in cells], dtype=np.float64))
    if column.type == "timestamp":
        return ColumnData(column, np.array([c or "NaT" for c in cells], dtype="datetime64[us]"))
    levels = {level: i for i, level in enumerate(dict.fromkeys(c for c in cells if c is not None))}
    codes = np.array([-1 if c is None else levels[c] for c in cells], dtype=np.int32)
    return ColumnData(column, Levels(codes, tuple(levels)))


def is_missing(values: Values) -> NDArray[np.bool_]:
    """Tell which values are missing."""
    if isinstance(values, Levels):
        return values.codes < 0
    return np.asarray(np.isnat(values) if values.dtype.kind == "M" else np.isnan(values))


def number(value: Any) -> float:
    """Check that a JSON value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ValueError("not a finite number")
    return float(value)


def flag(value: Any) -> bool:
    """Check that a JSON value is true or false."""
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


KINDS: dict[str, Any] = {c.kind: c for c in (NumberFeatures, CategoryFeatures, TimestampFeatures)}
