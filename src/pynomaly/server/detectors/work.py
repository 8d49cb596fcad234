"""What runs in the process of a job that trains a detector."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynomaly import allowance, tables
from pynomaly.library import Detector
from pynomaly.server.durable import sync
from pynomaly.tables import Table

Told = Callable[[float, str], None]
"""Tells how much is done (0 to 1) and what is being done."""


def opened(payload: dict[str, Any]) -> Table:
    """Open the dataset's file, for as much memory and as many CPUs as the job may use."""
    threads = allowance.limits().threads
    return tables.open_parquet(payload["table"], memory_mib=payload["memory_mib"], threads=threads)


def run(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Train and write the model file."""
    with opened(payload) as table:
        _, described = train(table, payload, progress)
    return {"model": payload["model"], "described": described}


def train(table: Table, payload: dict[str, Any], progress: Told) -> tuple[Detector, dict[str, Any]]:
    """Fit on an open table, write the model file; return the detector and what to keep."""
    recipe = dict(payload["recipe"])
    parameters = recipe.pop("parameters")
    exclude = [payload["label_column"]] if payload["label_column"] is not None else None
    fitted = Detector(**recipe, exclude=exclude, **parameters).fit(table, progress=progress)
    path = Path(payload["model"])
    path.write_bytes(fitted.to_bytes(bytes.fromhex(payload["key"])))
    sync(path)
    described = {
        "algorithm": fitted.algorithm,
        "parameters": payload["recipe"]["parameters"],
        "columns": [{"name": c.name, "type": c.type} for c in fitted.columns_ if c.unused is None],
        "threshold": float(fitted.threshold),
        "estimated_contamination": fitted.estimated_contamination,
        "notes": list(fitted.notes_),
    }
    return fitted, described
