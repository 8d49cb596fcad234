"""What runs in the process of a job that reads an uploaded file."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pynomaly import tables
from pynomaly.errors import TooManyBadRows
from pynomaly.server.durable import sync


def run(payload: dict[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Read the file, check its labels, write the Parquet and describe what was found."""
    target = Path(payload["target"])
    bounds = tables.Limits(**payload["limits"])
    try:
        found = tables.ingest(
            payload["source"],
            target,
            filename=payload["filename"],
            limits=bounds,
            progress=progress,
            types=payload["types"],
            choice=tables.DialectChoice(**payload.get("choice", {})),
        )
    except TooManyBadRows as error:
        if "refused" in payload:
            told = {"rejects": list(error.rejects), "n_rejected": error.n_rejected}
            Path(payload["refused"]).write_text(json.dumps(told))
        raise
    if payload["label_column"] is not None:
        with tables.open_parquet(target, memory_mib=bounds.memory_mib) as table:
            table.labels(payload["label_column"])
    sync(target)
    return {
        "target": str(target),
        "n_rows": found.n_rows,
        "columns": [asdict(column) for column in found.columns],
        "dialect": asdict(found.dialect) if found.dialect else None,
        "rejects": [asdict(reject) for reject in found.rejects],
        "n_rejected": found.n_rejected,
        "n_duplicates": found.n_duplicates,
        "profile": found.profile,
    }


def look(payload: dict[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Look at the beginning of the file: how it is written, its columns, its first rows."""
    progress(0.0, "looking at the file")
    seen = tables.preview(
        payload["source"],
        filename=payload["filename"],
        limits=tables.Limits(**payload["limits"]),
        types=payload["types"],
        choice=tables.DialectChoice(**payload["choice"]),
    )
    return asdict(seen)
