"""Frames, arrays, lists and dicts in memory become tables."""

from pathlib import Path
from typing import Any

from pynomaly.errors import UnknownFormat
from pynomaly.tables.build import build
from pynomaly.tables.engine import connect
from pynomaly.tables.limits import Limits
from pynomaly.tables.names import check_names
from pynomaly.tables.table import Table


def read_frame(source: Any, folder: Path, limits: Limits) -> Table:
    """Read a pandas, polars or pyarrow frame, a 2-d array, a list of lists or a dict of columns."""
    import numpy as np

    ids = True
    if isinstance(source, dict):
        columns = {str(k): np.asarray(v) for k, v in source.items()}
        names = [str(k) for k in source]
    elif isinstance(source, np.ndarray | list | tuple):
        array = np.asarray(source, dtype=np.float64)
        if array.ndim != 2:
            raise UnknownFormat(f"An array must have 2 dimensions, not {array.ndim}.")
        names, ids = [f"column_{i}" for i in range(array.shape[1])], False
        columns = dict(zip(names, np.ascontiguousarray(array.T), strict=True))
    else:
        import narwhals as nw

        frame = nw.from_native(source, eager_only=True)
        names = [str(n) for n in frame.columns]
        columns = {str(n): frame[n].to_numpy() for n in frame.columns}
    check_names(names, limits)
    con = connect(limits, folder)
    con.register("given", {f"c{i}": columns[n] for i, n in enumerate(names)})
    con.execute("CREATE TABLE raw AS FROM given")
    con.unregister("given")
    return build(con, folder, names, ids=ids)
