"""One column of Python or NumPy values becomes an array that DuckDB reads: numbers, timestamps, or text."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

from pynomaly.errors import BadColumns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["missing", "flag", "whole", "number", "timestamp", "text"]


def as_column(values: Any) -> "NDArray[np.generic]":
    """Turn a sequence of values, shape (n,), into an array of one type; missing values are NaN, NaT or None.

    Lists get the type that all their values have, and are text when these differ. Raises BadColumns.

    >>> as_column([1, None, 2.5]), as_column([True, None]).tolist(), as_column(["a", 1]).tolist()
    (array([1. , nan, 2.5]), ['true', None], ['a', '1'])
    """
    import numpy as np

    if not isinstance(values, np.ndarray):
        if isinstance(values, str | bytes) or not isinstance(values, Iterable):
            raise BadColumns(f"A column holds a sequence of values, not {type(values).__name__!r}.")
        return _of_objects(list(values))
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    array: NDArray[np.generic] = values
    if array.ndim != 1:
        raise BadColumns(f"A column must have 1 dimension; one has {array.ndim}.")
    kind = array.dtype.kind
    if kind in "OUSb":
        return _of_objects(array.tolist())
    if kind == "m":
        return np.where(np.isnat(array), np.nan, array.astype("timedelta64[us]").astype(np.int64) / 1e6)
    if kind == "M":
        return array.astype("datetime64[us]")
    if kind not in "iuf":
        raise BadColumns(f"A column of type {array.dtype} cannot be used.")
    if kind == "f" and array.itemsize not in (4, 8):
        return array.astype(np.float64)
    return np.ascontiguousarray(array)


def _of_objects(values: list[Any]) -> "NDArray[np.generic]":
    """Turn Python values into an array of the one type that all present ones have."""
    import numpy as np

    kinds = {of: _kind(of) for of in set(map(type, values))}  # a million values have few types
    if set(kinds.values()) & {"number", "timestamp", "missing"}:
        values = [None if _is_missing(value) else value for value in values]
    found = {kinds[of] for of in set(map(type, values)) if of is not type(None)}
    if found and found <= {"whole", "number"}:
        return _of_numbers(values, found)
    if found == {"timestamp"}:
        return np.array([None if value is None else _utc(value) for value in values], "datetime64[us]")
    text = np.empty(len(values), dtype=object)
    text[:] = (
        values
        if found == {"text"} and set(kinds) <= {str, type(None)}
        else [_text(value) for value in values]
    )
    return text


def _of_numbers(values: Sequence[Any], kinds: set[Kind]) -> "NDArray[np.generic]":
    """Make int64 of whole numbers when none is missing or too large, and float64 of all others."""
    import numpy as np

    if kinds == {"whole"} and all(value is not None and -(2**63) <= value < 2**63 for value in values):
        return np.array(values, dtype=np.int64)
    try:
        return np.array([np.nan if value is None else float(value) for value in values])
    except OverflowError:  # a whole number beyond 1.8e308
        return np.array(
            [np.nan if value is None else np.inf if abs(value) > 10**300 else 0.0 for value in values]
        )


def _kind(of: type) -> Kind:
    """Name the kind of a type's values; "missing" for types that have only missing ones."""
    if of is type(None) or of.__name__ in ("NAType", "NaTType"):
        return "missing"
    if of is bool or of.__name__ in ("bool", "bool_"):
        return "flag"
    if issubclass(of, Integral):
        return "whole"
    if issubclass(of, Real | Decimal):
        return "number"
    return "timestamp" if issubclass(of, date) else "text"


def _is_missing(value: Any) -> bool:
    """Say whether a value is None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return bool(value != value)


def _utc(value: date) -> datetime:
    """Turn a date or time into one in UTC without a zone."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - UTC is meant, and not written
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def _text(value: Any) -> str | None:
    """Write a value as text; booleans as JSON has them."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value).lower() if _kind(type(value)) == "flag" else str(value)
