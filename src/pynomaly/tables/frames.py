"""Values in memory become tables: frames, arrays, lists of rows, dicts of columns."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynomaly.errors import BadColumns, TableEmpty, UnknownFormat
from pynomaly.tables.build import build
from pynomaly.tables.engine import connect, reading
from pynomaly.tables.limits import Limits
from pynomaly.tables.names import check_names
from pynomaly.tables.table import Table
from pynomaly.tables.values import as_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = list[NDArray[np.generic]]


def read_values(source: Any, folder: Path, limits: Limits) -> Table:
    """Read a pandas, polars or pyarrow frame, a 2-d array, a list of rows, or a dict of columns.

    Types are taken as declared: text stays text even when it looks like numbers. Columns of arrays are
    numbers and never identifiers. Raises UnknownFormat, BadColumns, TableEmpty, TableTooLarge or
    NonFiniteValue.
    """
    ids = True
    if isinstance(source, Mapping):
        names, arrays = [str(name) for name in source], [as_column(values) for values in source.values()]
    elif _is_matrix(source):
        names, arrays = _matrix(source)
        ids = False
    else:
        names, arrays = _frame(source)
    check_names(names, limits)
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        raise BadColumns(
            f"The columns have different numbers of values: {', '.join(map(str, sorted(lengths)))}."
        )
    if lengths == {0}:
        raise TableEmpty("The table has columns but no rows.")
    connection = connect(limits, folder)
    with reading("the table", limits):
        connection.register("given", {f"c{place}": array for place, array in enumerate(arrays)})
        connection.execute("CREATE TABLE raw AS FROM given")
        connection.unregister("given")
        return build(connection, folder, names, ids=ids)


def _is_matrix(source: Any) -> bool:
    """Tell arrays and lists of rows from frames."""
    if isinstance(source, list | tuple):
        return True
    import numpy as np

    return isinstance(source, np.ndarray)


def _matrix(source: Any) -> tuple[list[str], "Arrays"]:
    """Take the columns of a 2-d array of numbers, named column_0, column_1, …"""
    import numpy as np

    try:
        array = np.asanyarray(source)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers")
        if array.dtype.names:
            return list(array.dtype.names), [as_column(array[name]) for name in array.dtype.names]
        numbers = np.ma.filled(np.ma.asarray(array).astype(np.float64), np.nan)
    except (TypeError, ValueError) as error:
        raise UnknownFormat(
            f"A list or array must hold rows of numbers, all of one length ({error}). For other values, pass "
            "a frame or a dict of columns."
        ) from error
    if numbers.ndim != 2:
        raise UnknownFormat(f"An array must have 2 dimensions (rows, columns); this one has {numbers.ndim}.")
    names = [f"column_{place}" for place in range(numbers.shape[1])]
    return names, list(np.ascontiguousarray(numbers.T))


def _frame(source: Any) -> tuple[list[str], "Arrays"]:
    """Take the columns of a frame that narwhals knows."""
    import narwhals as nw

    try:
        frame = nw.from_native(source)
    except TypeError as error:
        raise UnknownFormat(
            f"Cannot read a table from {type(source).__name__!r}: give a path, a pandas, polars or pyarrow "
            "frame, a 2-d array, or a dict of columns."
        ) from error
    except ValueError as error:  # narwhals wraps frames with unique names only
        told = " ".join(str(error).split())
        raise BadColumns(f"The frame's columns cannot be used: {told}") from error
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    return [str(name) for name in frame.columns], [_series(frame.get_column(name)) for name in frame.columns]


def _series(series: Any) -> "NDArray[np.generic]":
    """Turn a narwhals series into an array that DuckDB reads with the same type."""
    import narwhals as nw

    kind = series.dtype
    if isinstance(kind, nw.Decimal):
        series = series.cast(nw.Float64)
    elif isinstance(kind, nw.Date):
        series = series.cast(nw.Datetime("us"))
    elif isinstance(kind, nw.Datetime) and kind.time_zone:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    elif isinstance(kind, nw.Duration):
        return as_column(series.dt.total_microseconds().to_numpy() / 1e6)
    elif isinstance(kind, nw.Datetime):
        return as_column(series.to_numpy())
    elif (
        isinstance(kind, nw.Boolean | nw.String | nw.Categorical | nw.Enum | nw.Object)
        or not kind.is_numeric()
    ):
        return as_column(series.to_list())
    return as_column(series.to_numpy())
