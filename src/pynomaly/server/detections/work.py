"""What runs in the process of a job that finds the anomalies of a dataset."""

from pathlib import Path
from typing import Any

from pynomaly.library import Detector
from pynomaly.overview import kept
from pynomaly.results import Result, explain
from pynomaly.server.detectors.work import Told, opened, train
from pynomaly.server.durable import sync

ALWAYS_EXPLAINED = 100
"""So many of the highest rows have reasons even when they are not flagged."""

TRAINING_SHARE = 0.4
"""Of the work of a detection that trains first, how much is training."""


def run(payload: dict[str, Any], progress: Told) -> dict[str, Any]:
    """Load or train the model, score and explain the rows, write the ranked rows."""
    described = None
    begun = 0.0
    with opened(payload) as table:
        if payload["trained"] is not None:
            data, key = Path(payload["trained"]).read_bytes(), bytes.fromhex(payload["key"])
            detector = Detector.from_bytes(data, key, require_signature=True).set_threshold(**payload["ways"])
        else:
            begun = TRAINING_SHARE
            detector, described = train(table, payload, _part(progress, 0.0, begun))
            if "value" in payload["ways"]:
                detector.set_threshold(**payload["ways"])
        found = detector.detect(
            table,
            label_column=payload["label_column"],
            progress=_part(progress, begun, 0.95),
            max_explained=payload["max_explained"],
        )
        explain(found, found.order[:ALWAYS_EXPLAINED].tolist())
        beside = kept(found)
    progress(0.95, "writing the result")
    found.write_parquet_ranked(payload["result"], beside)
    sync(Path(payload["result"]))
    return _outcome(payload, found, described)


def _part(progress: Told, start: float, stop: float) -> Told:
    """Report a part of the work as its share of the whole; what it tells may start again from 0."""
    most = start

    def tell(done: float, text: str) -> None:
        nonlocal most
        most = max(most, start + done * (stop - start))
        progress(most, text)

    return tell


def _outcome(payload: dict[str, Any], found: Result, described: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "result": payload["result"],
        "model": payload["model"] if described else None,
        "described": described,
        "fields": {
            "n_rows": found.n_rows,
            "n_anomalies": found.n_anomalies,
            "threshold": float(found.threshold),
            "estimated_contamination": found.estimated_contamination,
            "score_histogram": found.score_histogram(),
            "metrics": found.metrics,
            "notes": list(found.notes),
        },
    }
