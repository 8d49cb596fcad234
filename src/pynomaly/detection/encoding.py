"""The table's encoder: typed columns in, a float matrix for the algorithms out, alike for every table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Column, ColumnData, Frame, Levels
from pynomaly.detection.algorithms.threads import map_columns, run_blocks
from pynomaly.detection.features import (
    KINDS,
    CategoryFeatures,
    ColumnFeatures,
    Matrix,
    Values,
    fit_column,
    is_missing,
    kind_of,
    missing_values,
)
from pynomaly.errors import BadBundle, NonFiniteValue, NoUsableColumns, SchemaMismatch

COPIED_AT_ONCE = 16_384


@dataclass(frozen=True)
class Encoder:
    """Fitted encoder: `schema` has all columns offered in training, `features` the used ones' encoders."""

    schema: tuple[Column, ...]
    features: Mapping[str, ColumnFeatures]

    @classmethod
    def fit(cls, frame: Frame, schema: Sequence[Column] | None = None) -> "Encoder":
        """Learn from the training rows; raises NoUsableColumns when no column can be used.

        `schema` lists all columns on offer (those of `frame` when not given); `frame` needs to hold only the
        ones that are used.
        """
        told: list[Column] = []
        features: dict[str, ColumnFeatures] = {}
        offered = schema or [data.column for data in frame.values()]
        used = [column.name for column in offered if not column.unused]
        rows = len(frame[used[0]]) if used else 0
        found = dict(zip(used, map_columns(lambda name: fit_used(frame[name]), used, rows), strict=True))
        for column in offered:
            fitted = found.get(column.name)
            if fitted:
                features[column.name] = fitted
            elif not column.unused:
                column = replace(column, unused="it holds nothing to compare rows by")
            told.append(column)
        if not features:
            raise NoUsableColumns(f"No column can be used for detection ({listed_unused(told)}).")
        return cls(tuple(told), features)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The used columns, in the order of the training table."""
        return tuple(self.features)

    @cached_property
    def sources(self) -> NDArray[np.intp]:
        """For each feature, the place in `names` of the column that it comes from."""
        widths = [len(f.names) for f in self.features.values()]
        return np.repeat(np.arange(len(widths)), widths)

    @property
    def width(self) -> int:
        """How many features a row has."""
        return len(self.sources)

    def transform(self, frame: Frame) -> Matrix:
        """Encode rows into a C-contiguous float64 matrix (n, width).

        Columns may come in any order and extra ones are ignored; raises SchemaMismatch naming every column
        that is missing or has another type than in training. A column that is wholly missing fits any type,
        and whole numbers fit a category when training had each of them as a level (such as "1" beside "x").
        """
        columns = self._matched(frame)
        out = np.zeros((len(frame[self.names[0]]), self.width))
        features = list(self.features.values())
        stops = np.cumsum([len(feature.names) for feature in features]).tolist()

        def write(place: int) -> None:
            feature = features[place]
            feature.write(columns[place], out[:, stops[place] - len(feature.names) : stops[place]])

        map_columns(write, range(len(features)), len(out))
        return out

    def transform_array(self, X: Matrix) -> Matrix:
        """Encode a float matrix whose columns are those of `schema`, in that order (NaN: missing).

        Costs microseconds for one row. Raises SchemaMismatch when the width differs or the detector knows
        columns that are not numbers, NonFiniteValue when a used value is infinite.
        """
        used = self.array_columns
        if X.ndim != 2 or X.shape[1] != len(self.schema):
            got = f"{X.shape[1]} columns" if X.ndim == 2 else f"{X.ndim} dimensions"
            want = len(self.schema)
            raise SchemaMismatch(f"The array has {got}; the detector was trained on {want} columns.")
        if not self.plain:
            X = X[:, used]
        if np.isfinite(X).all():
            if self.plain and not self.indicators:
                return np.ascontiguousarray(X)
        elif np.isinf(X).any():
            row, column = np.argwhere(np.isinf(X))[0].tolist()
            raise NonFiniteValue(f"Row {row} has an infinite value in column {self.names[column]!r}.")
        return self._from_numbers(X)

    @cached_property
    def array_columns(self) -> list[int]:
        """Places in `schema` of the used columns; raises SchemaMismatch when one is not a number."""
        for name, feature in self.features.items():
            if feature.kind != "number":
                needs = f"The detector needs column {name!r} as a {feature.kind}"
                raise SchemaMismatch(f"{needs}: give it a table, not an array.")
        return [i for i, column in enumerate(self.schema) if column.name in self.features]

    @cached_property
    def plain(self) -> bool:
        """Whether every column of the training table is used."""
        return len(self.features) == len(self.schema)

    @cached_property
    def indicators(self) -> bool:
        """Whether any column has a feature besides its value."""
        return self.width > len(self.features)

    def _from_numbers(self, X: Matrix) -> Matrix:
        out = np.zeros((len(X), self.width))
        at = 0
        for i, feature in enumerate(self.features.values()):
            stop = at + len(feature.names)
            feature.write(X[:, i], out[:, at:stop])
            at = stop
        return out

    def _matched(self, frame: Frame) -> list[Values]:
        columns: list[Values] = []
        missing: list[str] = []
        retyped: dict[str, tuple[str, str]] = {}
        for name, feature in self.features.items():
            data = frame.get(name)
            if data is None:
                missing.append(name)
            elif (kind := kind_of(data)) == feature.kind:
                columns.append(data.values)
            elif is_missing(data.values).all():
                columns.append(missing_values(feature.kind, len(data)))
            elif (levels := known_levels(data.values, feature)) is not None:
                columns.append(levels)
            else:
                retyped[name] = (feature.kind, kind)
        if missing or retyped:
            raise mismatch(missing, retyped)
        return columns

    def json(self) -> dict[str, Any]:
        """All that was learned, as JSON values."""
        return {
            "schema": [{"name": c.name, "type": c.type, "unused": c.unused} for c in self.schema],
            "features": [feature.json() for feature in self.features.values()],
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "Encoder":
        """Rebuild what `json` gave; raises BadBundle when it makes no sense."""
        try:
            schema = tuple(Column(**entry) for entry in state["schema"])
            used = [c.name for c in schema if c.unused is None]
            distinct = len({c.name for c in schema}) == len(schema)
            if not used or not distinct or not all(isinstance(c.name, str) for c in schema):
                raise ValueError("schema")
            described = [KINDS[entry["kind"]].from_json(entry) for entry in state["features"]]
            return cls(schema, dict(zip(used, described, strict=True)))
        except (KeyError, TypeError, ValueError) as error:
            raise BadBundle(f"The columns in the model file make no sense ({error}).") from None


def fit_used(data: ColumnData) -> ColumnFeatures | None:
    """Fit one column's encoder; None when it gives no features (all missing, or one level only)."""
    if is_missing(data.values).all():
        return None
    fitted = fit_column(data)
    return fitted if fitted.names else None


def known_levels(values: Values, feature: ColumnFeatures) -> Levels | None:
    """Read whole numbers as levels of a category; None when training did not have every one of them."""
    if not isinstance(feature, CategoryFeatures) or isinstance(values, Levels) or values.dtype.kind != "f":
        return None
    present, inverse = np.unique(values[~np.isnan(values)], return_inverse=True)
    levels = tuple(f"{number:.0f}" for number in present.tolist())
    if (present != np.floor(present)).any() or not all(level in feature.place for level in levels):
        return None
    codes = np.full(len(values), -1, dtype=np.int32)
    codes[~np.isnan(values)] = inverse
    return Levels(codes, levels)


def mismatch(missing: Sequence[str], retyped: Mapping[str, tuple[str, str]]) -> SchemaMismatch:
    """Name every column that keeps a table from being used with a detector."""
    parts = []
    if missing:
        parts.append(f"it has no column {listed(missing)}")
    if retyped:
        parts.append(listed_types(retyped))
    types = {name: {"trained": want, "found": got} for name, (want, got) in retyped.items()}
    message = f"The table does not fit the detector: {'; '.join(parts)}."
    return SchemaMismatch(message, missing=list(missing), retyped=types)


def listed(names: Iterable[str], most: int = 10) -> str:
    """Quote names for a message, the first few of many."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more


def listed_types(retyped: Mapping[str, tuple[str, str]], most: int = 10) -> str:
    """Say which type each column has and which it had in training."""
    told = list(retyped.items())
    said = "; ".join(
        f"column {name!r} was {want} in training and is {got} here" for name, (want, got) in told[:most]
    )
    return said + (f"; and {len(told) - most} more columns" if len(told) > most else "")


def listed_unused(schema: Sequence[Column], most: int = 5) -> str:
    """Say why columns are not used, for a message."""
    said = "; ".join(f"{c.name!r}: {c.unused}" for c in schema[:most])
    return (said or "there is none") + ("; …" if len(schema) > most else "")


def as_matrix(values: Any) -> Matrix | None:
    """Give a 2-d float matrix of `values` when it is a numeric numpy array already, else None.

    Values that are masked are missing.
    """
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype.kind not in "fiu":
        return None
    if isinstance(values, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    return values.astype(np.float64, copy=False)


def plain_frame(X: Matrix) -> dict[str, ColumnData] | None:
    """Take the columns of a matrix as `tables.read` would, when there is nothing to find out about them.

    None when a value is missing or infinite, or a column constant: then the table has to be looked at.
    """
    if type(X) is not np.ndarray or len(X) < 2 or not X.shape[1]:  # a subclass may mask values
        return None
    columns = np.empty(X.shape[::-1])

    def copy(begin: int, end: int) -> None:
        columns[:, begin:end] = X[begin:end].T

    run_blocks(copy, len(X), COPIED_AT_ONCE)
    ends = map_columns(lambda values: (values.min(), values.max()), columns, len(X))
    if any(not np.isfinite(low) or not np.isfinite(high) or low == high for low, high in ends):
        return None
    named = [Column(f"column_{place}", "number") for place in range(len(columns))]
    return {column.name: ColumnData(column, values) for column, values in zip(named, columns, strict=True)}
