"""The normal training row that is most like a row: a sample of the normal rows, kept with the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Column, ColumnData, Frame, Levels
from pynomaly.detection.algorithms.occlusion import nearest, normal_places
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.encoding import Encoder
from pynomaly.detection.explain import plain
from pynomaly.detection.features import CategoryFeatures, Matrix, Values
from pynomaly.errors import BadBundle

CELLS_MOST = 32_768
ROWS_MOST, ROWS_LEAST = 512, 16
"""The sample has at most so many cells and rows, but this many rows of a wide table."""

EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999, in microseconds since 1970."""

MISSING_TIME = -(2**63)
NearestRow = dict[str, Any]


@dataclass(frozen=True)
class NormalRows:
    """Some normal training rows: their numbers in the training table, shape (k,), and the used columns."""

    rows: NDArray[np.int64]
    frame: Frame
    encoder: Encoder

    @classmethod
    def fit(cls, frame: Frame, encoder: Encoder, scores: Matrix, seed: int) -> "NormalRows":
        """Choose among the three quarters of the training rows that have the lowest scores."""
        most = max(ROWS_LEAST, min(ROWS_MOST, CELLS_MOST // len(encoder.names)))
        chosen = normal_places(scores, seed, most)
        return cls(chosen, {name: _some(frame[name], chosen) for name in encoder.names}, encoder)

    def numbered(self, numbers: NDArray[np.int64]) -> "NormalRows":
        """Give the same rows with the numbers that the rows of the training frame have in their table."""
        return NormalRows(numbers[self.rows], self.frame, self.encoder)

    def nearest(self, frame: Frame) -> list[NearestRow]:
        """Find for each of n rows the most similar normal row: {"row": number, "values": {column: value}}.

        Numbers are compared in robust units, categories by being the same; what is far apart counts 1.
        """
        found = nearest(self._scaling.apply(self._places(frame)), self._points)[:, 0].tolist()
        return [self._shown[place] for place in found]

    @cached_property
    def _scaling(self) -> Scaling:
        scaling = Scaling.fit(self._places(self.frame), "robust")
        unit = scaling.unit.copy()
        unit[list(self._categories)] = 1.0  # places of levels differ by 1 or more, which is as far as can be
        return Scaling(scaling.center, unit)

    @cached_property
    def _points(self) -> Matrix:
        return self._scaling.apply(self._places(self.frame))

    @cached_property
    def _shown(self) -> list[NearestRow]:
        columns = {name: data.values for name, data in self.frame.items()}
        return [
            {"row": row, "values": {name: plain(values, place) for name, values in columns.items()}}
            for place, row in enumerate(self.rows.tolist())
        ]

    @cached_property
    def _categories(self) -> dict[int, str]:
        """Features that are a category's, by their place."""
        names = self.encoder.names
        kinds = [feature.kind for feature in self.encoder.features.values()]
        return {i: names[s] for i, s in enumerate(self.encoder.sources.tolist()) if kinds[s] == "category"}

    def _places(self, frame: Frame) -> Matrix:
        """Encode rows, with categories by the place of their level instead of its rarity."""
        X = self.encoder.transform(frame)
        for place, name in self._categories.items():
            feature, values = self.encoder.features[name], frame[name].values
            if isinstance(feature, CategoryFeatures) and isinstance(values, Levels):
                of = [feature.place.get(level, -1) for level in (*values.levels, None)]  # code -1: the last
                X[:, place] = np.array(of, dtype=np.float64)[values.codes]
        return X

    def json(self) -> list[list[str]]:
        """Give the levels of each category."""
        held = (data.values for data in self.frame.values())
        return [list(values.levels) for values in held if isinstance(values, Levels)]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give the row numbers and the columns by kind, each of shape (k, columns of that kind)."""
        parts: dict[str, list[NDArray[Any]]] = {"number": [], "timestamp": [], "category": []}
        for name, feature in self.encoder.features.items():
            values = self.frame[name].values
            if isinstance(values, Levels):
                parts["category"].append(values.codes.astype(np.int32))
            else:
                parts[feature.kind].append(values.view(np.int64) if values.dtype.kind == "M" else values)
        shape = (len(self.rows), 0)
        stacked = {k: np.stack(v, axis=1) if v else np.empty(shape, DTYPES[k]) for k, v in parts.items()}
        return {"rows": self.rows, **stacked}

    @classmethod
    def from_state(cls, levels: Any, arrays: Mapping[str, NDArray[Any]], encoder: Encoder) -> "NormalRows":
        """Rebuild what `json` and `arrays` gave; raises BadBundle when it makes no sense."""
        kinds: list[str] = [feature.kind for feature in encoder.features.values()]
        rows = arrays.get("rows")
        if rows is None or rows.dtype != np.int64 or rows.ndim != 1 or not len(rows) or rows.min() < 0:
            raise _bad("row numbers")
        for kind, dtype in DTYPES.items():
            array = arrays.get(kind)
            if array is None or array.dtype != dtype or array.shape != (len(rows), kinds.count(kind)):
                raise _bad(f"{kind}s")
        named = iter(_levels(levels, arrays["category"]))
        at = {kind: iter(arrays[kind].T) for kind in DTYPES}
        frame = {}
        for name, kind in zip(encoder.names, kinds, strict=True):
            values = _values(kind, next(at[kind]), next(named) if kind == "category" else ())
            frame[name] = ColumnData(Column(name, encoder.features[name].kind), values)
        return cls(rows, frame, encoder)


DTYPES = {"number": np.dtype(np.float64), "timestamp": np.dtype(np.int64), "category": np.dtype(np.int32)}
"""How the values of each kind of column are stored."""


def _some(data: ColumnData, places: NDArray[np.int64]) -> ColumnData:
    """Take some rows of a column; of a category only the levels that they have."""
    values: Values
    if isinstance(data.values, Levels):
        used, codes = np.unique(data.values.codes[places], return_inverse=True)
        missing = int(len(used) and used[0] < 0)
        named = tuple(data.values.levels[code] for code in used[missing:].tolist())
        values = Levels((codes - missing).astype(np.int32), named)
    else:
        values = data.values[places]
    return ColumnData(data.column, values)


def _values(kind: str, array: NDArray[Any], levels: Sequence[str]) -> Values:
    """Check one stored column and give its values."""
    if kind == "category":
        return Levels(np.ascontiguousarray(array), tuple(levels))
    if kind == "timestamp":
        if not ((array == MISSING_TIME) | ((array >= EARLIEST) & (array <= LATEST))).all():
            raise _bad("timestamps")
        return np.ascontiguousarray(array).view("datetime64[us]")
    if np.isinf(array).any():
        raise _bad("numbers")
    return np.ascontiguousarray(array)


def _levels(state: Any, codes: NDArray[np.int32]) -> list[list[str]]:
    """Check the levels of each category against its codes."""
    if not isinstance(state, list) or len(state) != codes.shape[1]:
        raise _bad("levels")
    for levels, column in zip(state, codes.T, strict=True):
        if not isinstance(levels, list) or not all(isinstance(level, str) for level in levels):
            raise _bad("levels")
        if len(set(levels)) < len(levels) or column.min() < -1 or column.max() >= len(levels):
            raise _bad("levels")
    return state


def _bad(what: str) -> BadBundle:
    return BadBundle(f"The {what} of the normal rows in the model file make no sense.")
