"""Tables: files, streams and frames become typed columns. Nothing here knows of detection.

Importing this package loads neither DuckDB nor NumPy: each function imports what it needs when it is called.
"""

from pynomaly.tables.ingest import Ingested, ingest
from pynomaly.tables.limits import Dialect, DialectChoice, Limits, Reject
from pynomaly.tables.paging import page_rows, rows_at
from pynomaly.tables.preview import Preview, preview
from pynomaly.tables.read import read
from pynomaly.tables.table import Table, open_parquet

__all__ = [
    "Dialect",
    "DialectChoice",
    "Ingested",
    "Limits",
    "Preview",
    "Reject",
    "Table",
    "ingest",
    "open_parquet",
    "page_rows",
    "preview",
    "read",
    "rows_at",
]
