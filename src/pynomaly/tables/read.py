"""Any source becomes a table: files, standard input, frames, arrays."""

import tempfile
from pathlib import Path
from typing import Any

from pynomaly.errors import FileMissing
from pynomaly.tables.delimited import read_delimited
from pynomaly.tables.limits import Limits
from pynomaly.tables.table import Table


def read(source: Any, *, name: str | None = None, limits: Limits | None = None, format: str | None = None) -> Table:  # noqa: A002
    """Read a table."""
    limits = limits or Limits()
    folder = Path(tempfile.mkdtemp(prefix="pynomaly-"))
    if isinstance(source, str | Path):
        path = Path(source).resolve()
        if not path.is_file():
            raise FileMissing(f"There is no file {source}.")
        return read_delimited(path, name or path.name, folder, limits)
    from pynomaly.tables.frames import read_frame

    return read_frame(source, folder, limits)
