"""A user's file becomes a stored Parquet file with its schema, profile and reject report."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pynomaly.columns import Column
from pynomaly.tables.engine import literal
from pynomaly.tables.limits import Dialect, Limits, Reject
from pynomaly.tables.read import read
from pynomaly.tables.table import SCHEMA_KEY


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was stored, and what was found on the way."""

    n_rows: int
    columns: tuple[Column, ...]
    dialect: Dialect | None
    rejects: tuple[Reject, ...]
    n_rejected: int
    profile: list[dict[str, Any]] = field(default_factory=list)


def ingest(
    source_path: str | Path,
    target_parquet: str | Path,
    *,
    filename: str,
    limits: Limits | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Ingested:
    """Parse `source_path` (named `filename` by its user) and write it to `target_parquet`, or nothing at all."""
    target = Path(target_parquet)
    tell = progress or (lambda _share, _text: None)
    tell(0.0, "reading")
    with read(Path(source_path), name=filename, limits=limits) as table:
        tell(0.6, "storing")
        store = table._store
        schema = {"columns": [asdict(c) for c in table.columns], "n_rows": table.n_rows}
        out = store.folder / "table.parquet"
        store.connection.execute(
            f"COPY data TO {literal(str(out))} (FORMAT parquet, COMPRESSION zstd, "
            f"KV_METADATA {{{SCHEMA_KEY}: {literal(json.dumps(schema))}}})"
        )
        import shutil

        partial = target.with_name(target.name + ".partial")
        shutil.move(out, partial)
        os.replace(partial, target)
        tell(1.0, "done")
        return Ingested(table.n_rows, table.columns, table.dialect, table.rejects, table.n_rejected, [])
