"""Reasons: which columns made a row's score, with the value, what is usual, and one short sentence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Frame, Levels
from pynomaly.detection.algorithms.threads import map_columns
from pynomaly.detection.encoding import Encoder
from pynomaly.detection.features import (
    CategoryFeatures,
    ColumnFeatures,
    Matrix,
    TimestampFeatures,
    Values,
)
from pynomaly.detection.typical import (
    ALONE,
    SHARES,
    Typical,
    TypicalCategory,
    TypicalNumber,
    TypicalTimestamp,
    share_of,
    timestamp_from_json,
)
from pynomaly.detection.wording import BECAUSE, LEAST_USUAL, NO_COLUMN, NOTHING
from pynomaly.errors import BadBundle

REASONS_MOST = 5
"""Reasons that one row gets at most."""

LEAST = 0.1
"""A column that gives less than this part of the greatest contribution is not a reason."""

SUMMED = 2
"""Reasons that the sentence about a whole row names."""

TOGETHER = "ordinary by itself, unusual in combination"


@dataclass(frozen=True, slots=True)
class Reason:
    """One column's part in a row's score.

    `contribution` is in the unit that the algorithm states, the features of one column summed; `value` and
    `expected` are JSON values (numbers: median and the range of the middle 90 %; categories: the commonest
    level and its share; timestamps: the busiest hour and weekday of the training rows).
    """

    column: str
    contribution: float
    value: Any
    expected: dict[str, Any]
    text: str

    def json(self) -> dict[str, Any]:
        """Give all fields as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a row has its score: reasons, greatest first; the most similar normal row; all in one sentence.

    `nearest_normal` is {"row": its number in the training table, "values": {column: JSON value}}.
    """

    reasons: list[Reason]
    nearest_normal: dict[str, Any]
    summary: str


@dataclass(frozen=True)
class Explainer:
    """Turns contributions of features into reasons; `typical` holds each used column's summary."""

    typical: Mapping[str, Typical]

    @classmethod
    def fit(cls, frame: Frame, encoder: Encoder) -> "Explainer":
        """Summarise the used columns of the training rows."""
        used = encoder.features
        rows = len(frame[encoder.names[0]])
        fitted = map_columns(lambda name: _fit(frame[name].values, used[name]), used, rows)
        return cls(dict(zip(encoder.names, fitted, strict=True)))

    def reasons(
        self, frame: Frame, encoder: Encoder, contributions: Matrix, most: int = REASONS_MOST
    ) -> list[list[Reason]]:
        """Give each row's reasons, greatest first; only columns that raise the score.

        `frame` holds the same n rows as `contributions`, shape (n, features).
        """
        columns = by_column(contributions, encoder.sources)
        return [self._row(frame, row, parts, most) for row, parts in enumerate(columns)]

    def _row(self, frame: Frame, row: int, parts: Matrix, most: int) -> list[Reason]:
        names = list(self.typical)
        ranked = np.argsort(-parts, kind="stable")[:most]
        least = max(LEAST * parts[ranked[0]], 0.0)
        raising = [(names[i], parts[i]) for i in ranked if parts[i] > least]
        return [self._reason(name, part, plain(frame[name].values, row)) for name, part in raising]

    def _reason(self, name: str, contribution: float, value: Any) -> Reason:
        typical = self.typical[name]
        text = f"{name} is {typical.compare(value, TOGETHER if len(self.typical) > 1 else ALONE)}."
        return Reason(name, float(contribution), value, typical.expected, text)

    def closest(self, reasons: Sequence[Reason], nearest: Mapping[str, Any]) -> str:
        """Say what the most similar normal row has in the columns that the reasons name."""
        if not reasons:
            return f"the closest normal row is row {nearest['row']:,}"
        has = [f"{r.column} {self.typical[r.column].say(nearest['values'][r.column])}" for r in reasons]
        return f"the closest normal row ({nearest['row']:,}) has {joined(has)}"

    def summary(self, reasons: Sequence[Reason], nearest: Mapping[str, Any], is_anomaly: bool) -> str:
        """Say in one sentence why a row is unusual, and how the most similar normal row differs."""
        named = reasons[:SUMMED]
        start = BECAUSE if is_anomaly else LEAST_USUAL
        told = f"{start} {', and '.join(reason.text.removesuffix('.') for reason in named)}"
        if not named:
            told = NO_COLUMN if is_anomaly else NOTHING
        return f"{told}; {self.closest(named, nearest)}."

    def json(self) -> list[dict[str, Any] | None]:
        """Give what is neither in `arrays` nor in the encoder's state."""
        return [_json(typical) for typical in self.typical.values()]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give the numbers' quantiles, shape (number columns, len(SHARES))."""
        grids = [t.grid for t in self.typical.values() if isinstance(t, TypicalNumber)]
        return {"grid": np.stack(grids) if grids else np.zeros((0, len(SHARES)))}

    @classmethod
    def from_state(cls, state: Any, arrays: Mapping[str, NDArray[Any]], encoder: Encoder) -> "Explainer":
        """Rebuild what `json` and `arrays` gave; raises BadBundle when it makes no sense."""
        numbers = sum(f.kind == "number" for f in encoder.features.values())
        grid = arrays.get("grid")
        if grid is None or grid.shape != (numbers, len(SHARES)) or grid.dtype != np.float64:
            raise BadBundle("The column summaries in the model file have the wrong shape.")
        if not (np.isfinite(grid).all() and (grid[:, 1:] >= grid[:, :-1]).all()):
            raise BadBundle("The column summaries in the model file make no sense.")
        grids = iter(grid)
        try:
            pairs = zip(encoder.features.items(), state, strict=True)
            return cls({name: _rebuild(feature, entry, grids) for (name, feature), entry in pairs})
        except (KeyError, TypeError, ValueError) as error:
            raise BadBundle(f"The column summaries in the model file make no sense ({error}).") from None


def by_column(contributions: Matrix, sources: NDArray[np.intp]) -> Matrix:
    """Sum the contributions of each source column's features: shape (n, used columns)."""
    starts = np.flatnonzero(np.diff(sources, prepend=-1))
    return np.asarray(np.add.reduceat(contributions, starts, axis=1))


def joined(parts: Iterable[str]) -> str:
    """List parts in a sentence.

    >>> joined(["a"]), joined(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def plain(values: Values, row: int) -> Any:
    """Give one value as a JSON value: None, number, string, or ISO 8601 time."""
    if isinstance(values, Levels):
        code = int(values.codes[row])
        return None if code < 0 else values.levels[code]
    if values.dtype.kind == "M":
        return None if np.isnat(values[row]) else values[row].item().isoformat()
    number_ = float(values[row])
    return None if number_ != number_ else number_


def _fit(values: Any, feature: ColumnFeatures) -> Typical:
    if isinstance(feature, CategoryFeatures):
        return TypicalCategory(feature)
    if isinstance(feature, TimestampFeatures):
        return TypicalTimestamp.fit(values, feature.cycles)
    return TypicalNumber.fit(values)


def _json(typical: Typical) -> dict[str, Any] | None:
    if isinstance(typical, TypicalNumber):
        return {"missing": typical.missing}
    if isinstance(typical, TypicalTimestamp):
        counts = {"hours": list(typical.hours), "weekdays": list(typical.weekdays)}
        return counts | {"missing": typical.missing}
    return None


def _rebuild(feature: ColumnFeatures, entry: Any, grids: Any) -> Typical:
    if isinstance(feature, CategoryFeatures):
        return TypicalCategory(feature)
    if isinstance(feature, TimestampFeatures):
        return timestamp_from_json(entry, feature.cycles)
    return TypicalNumber(next(grids), share_of(entry["missing"]))
