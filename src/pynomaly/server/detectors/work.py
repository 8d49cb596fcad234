"""What runs in the process of a job that trains a detector."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynomaly import allowance, tables
from pynomaly.errors import LabelError
from pynomaly.library import Detector, accuracy
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
    begun = time.perf_counter()
    fitted = Detector(**recipe, exclude=exclude, **parameters).fit(table, progress=progress)
    seconds = time.perf_counter() - begun
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
        "metrics": {
            "rows": table.n_rows,
            "seconds": round(seconds, 3),
            "bytes": path.stat().st_size,
            **_accuracy(fitted, table, payload["label_column"]),
        },
        "recipe": {name: payload["recipe"][name] for name in ("columns", "seed")},
    }
    return fitted, described


def _accuracy(fitted: Detector, table: Table, label_column: str | None) -> dict[str, float | None]:
    """Compare the training rows' scores with the labels, which training did not see."""
    if label_column is None:
        return {}
    try:
        return accuracy(table.labels(label_column), fitted.training_scores_)
    except LabelError:  # a huge table's labels are checked by a part of them when they are chosen
        return {}
