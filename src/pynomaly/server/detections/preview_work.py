"""What runs in the process of a job that tries settings on a sample of a dataset."""

import time
from typing import Any

import numpy as np

from pynomaly.library import Detector
from pynomaly.results import Anomaly, Result
from pynomaly.server.detectors.work import Told, opened

SHOWN = 5
CELLS_SHOWN = 30
LONGEST = 200
BINS = 40


def run(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Draw the rows, train on them, score them, and keep what a page shows of that."""
    begun = time.perf_counter()
    with opened(payload) as table:
        recipe = dict(payload["recipe"])
        rows = np.arange(table.n_rows)
        part = table
        if table.n_rows > payload["rows"]:
            chosen = np.random.default_rng(recipe["seed"]).choice(
                table.n_rows, payload["rows"], replace=False
            )
            rows = np.sort(chosen)
            part = table.excerpt(rows)
        found = _detect(part, recipe, payload["label_column"], table.n_rows, progress)
        top = [_shown(one, int(rows[one.row])) for one in found.top(SHOWN)]
        return {
            "n_rows": found.n_rows,
            "n_total": table.n_rows,
            "n_anomalies": found.n_anomalies,
            "threshold": float(found.threshold),
            "score_histogram": found.score_histogram(BINS),
            "notes": list(found.notes),
            "top": top,
            "seconds": round(time.perf_counter() - begun, 3),
        }


def _detect(
    table: Any, recipe: dict[str, Any], label_column: str | None, n_total: int, progress: Told
) -> Result:
    parameters = recipe.pop("parameters")
    if recipe["max_alerts"] is not None:  # the budget is that of the whole table
        recipe["max_alerts"] = max(1, round(recipe["max_alerts"] * table.n_rows / n_total))
    exclude = [label_column] if label_column is not None else None
    detector = Detector(**recipe, exclude=exclude, **parameters).fit(table, progress)
    return detector.detect(table, max_explained=SHOWN)


def _shown(anomaly: Anomaly, row: int) -> dict[str, Any]:
    """Keep of a row what a page shows: the reasons, and the cells that they name before the others."""
    named = [reason.column for reason in anomaly.reasons]
    names = [*named, *(name for name in anomaly.values if name not in named)][:CELLS_SHOWN]
    return {
        "row": row,
        "score": anomaly.score,
        "is_anomaly": anomaly.is_anomaly,
        "summary": anomaly.summary,
        "reasons": [{"text": r.text, "contribution": float(r.contribution)} for r in anomaly.reasons],
        "values": {name: _cell(anomaly.values[name]) for name in names if name in anomaly.values},
    }


def _cell(value: Any) -> Any:
    return value[:LONGEST] if isinstance(value, str) else value
