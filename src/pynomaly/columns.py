"""The columns that `tables` reads and `detection` encodes: names, types and values, with no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ColumnType = Literal["number", "category", "timestamp", "text", "id", "constant"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column's name and type; `unused` says why detection leaves it out (None: it is used)."""

    name: str
    type: ColumnType
    unused: str | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """Dictionary-encoded strings: `codes` (int32, shape (n,), -1 = missing) index into `levels`."""

    codes: "NDArray[np.int32]"
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnData:
    """One column with its values (all rows, or one block of rows).

    `values` is float64 with NaN for missing and never infinite (number), datetime64[us] with NaT (timestamp),
    or `Levels` (all other types; a constant keeps the kind it was read as).
    """

    column: Column
    values: "NDArray[np.float64] | NDArray[np.datetime64] | Levels"

    def __len__(self) -> int:
        """Count the rows."""
        values = self.values
        return len(values.codes) if isinstance(values, Levels) else len(values)


Frame = Mapping[str, ColumnData]
"""A table in memory, in column order."""
