"""Put results of one dataset side by side: what they flag, how they rank, what differed, what it cost."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pynomaly.errors import BadValue, InputError, NotReady, OutOfMemory, TableTooLarge
from pynomaly.server import process
from pynomaly.server.datasets.values import values_at
from pynomaly.server.detections import cost, service
from pynomaly.server.detections.models import Detection
from pynomaly.server.detectors.service import told_ways
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

MOST = 5
DUCKDB_SHARE = 4
"""DuckDB may have one part in so many of the process's memory; the ranks need the rest."""
TIMEOUT_SECONDS = 120
KEPT = 64
"""Comparisons that a process remembers, of some kilobytes each."""
ROWS = ("rows", "disputed")
"""What holds rows: those whose ranks differ most, and of those that some flag and others do not, the same."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to compare, looked up; `run` needs no transaction."""

    detections: list[Detection]
    files: list[str]
    dataset_file: Path
    columns: list[str]

    def run(self, settings: Settings, *, with_values: bool = True) -> Json:
        """Read the results in a process of its own; `with_values` also reads the rows' values.

        Raises:
            TableTooLarge: that needs more memory than a job may use.
            Busy: too many others are waiting.
        """
        flagged = tuple(one.n_anomalies or 0 for one in self.detections)
        found = _found(tuple(self.files), self.detections[0].n_rows or 0, flagged, settings.job_memory_mib)
        if not with_values:
            return self._told(found, defaultdict(dict))
        rows = sorted({row["row"] for kind in ROWS for row in found[kind]})
        values = values_at(self.dataset_file, self.columns, rows) if rows else []
        return self._told(found, dict(zip(rows, values, strict=True)))

    def _told(self, found: Json, values: Mapping[int, Json]) -> Json:
        ids = [detection.id for detection in self.detections]
        return {
            "dataset_id": self.detections[0].dataset_id,
            "n_rows": self.detections[0].n_rows,
            "results": [item(detection) for detection in self.detections],
            "differences": differences(self.detections),
            "pairs": _pairs(ids, found),
            "overlap": _overlap(ids, found["combinations"]),
            **{kind: [row | {"values": values[row["row"]]} for row in found[kind]] for kind in ROWS},
        }


@lru_cache(maxsize=KEPT)
def _found(files: tuple[str, ...], n_rows: int, n_anomalies: tuple[int, ...], memory_mib: int) -> Json:
    """What the process finds; a result's file never changes, so that the last answers are kept."""
    payload = {
        "results": list(files),
        "n_rows": n_rows,
        "n_anomalies": list(n_anomalies),
        "memory_mib": memory_mib // DUCKDB_SHARE,
    }
    try:
        return process.run(
            "pynomaly.server.detections.comparison:run",
            payload,
            memory_mib=memory_mib,
            timeout_seconds=TIMEOUT_SECONDS,
        )
    except OutOfMemory as error:
        raise TableTooLarge("Comparing so many rows needs more memory than a job may use.") from error


def choose(session: Session, actor: User, ids: Sequence[str]) -> list[Detection]:
    """Find two to five results.

    Raises:
        BadValue: there are not two to five different ids.
        NotFound: of a result.
    """
    if len(set(ids)) < len(ids) or not 2 <= len(ids) <= MOST:
        raise BadValue(f"ids names 2 to {MOST} different results.", pointer="#/ids", place="query")
    return [service.get(session, actor, id_) for id_ in ids]


def of(found: list[Detection], storage: LocalStorage) -> Comparison:
    """Prepare to compare results row by row.

    Raises:
        NotReady: one is not completed.
        InputError: they are of different datasets, or of different readings of one.
    """
    for one in found:
        if one.status != "completed":
            raise NotReady(f"The result {one.id} is {one.status}, not completed.", status=one.status)
    if len({(one.dataset_id, one.n_rows) for one in found}) > 1:
        raise InputError("Only results of the same dataset can be compared, row by row.")
    dataset = found[0].dataset
    return Comparison(
        found,
        [str(storage.open_path(str(one.blob_key))) for one in found],
        storage.open_path(str(dataset.blob_key)),
        [column["name"] for column in dataset.columns],
    )


def look_up(session: Session, actor: User, storage: LocalStorage, ids: Sequence[str]) -> Comparison:
    """Find the results to compare; raises as `choose` and `of`."""
    return of(choose(session, actor, ids), storage)


def item(detection: Detection) -> Json:
    """Sum a result up."""
    metrics = detection.metrics or {}
    seconds, peak_mib = cost.of(metrics)
    return {
        "id": detection.id,
        "name": detection.name,
        "algorithm": detection.algorithm,
        "detector_id": detection.detector_id,
        "model_id": detection.model_id,
        "n_anomalies": detection.n_anomalies,
        "threshold": detection.threshold,
        "estimated_contamination": detection.estimated_contamination,
        "auc_roc": metrics.get("auc_roc"),
        "average_precision": metrics.get("average_precision"),
        "seconds": seconds,
        "peak_mib": peak_mib,
    }


def differences(detections: Sequence[Detection]) -> list[Json]:
    """Name what was not the same in all: algorithm, parameters, columns, threshold's choice, seed."""
    told = [
        {"algorithm": one.algorithm, "columns": one.columns, "seed": one.seed}
        | told_ways(one)
        | {"threshold": one.threshold if one.threshold_by_hand or one.run_threshold is not None else None}
        | {f"parameters.{name}": value for name, value in one.parameters.items()}
        for one in detections
    ]
    names = list(dict.fromkeys(name for one in told for name in one))
    values = {name: [one.get(name) for one in told] for name in names}
    return [
        {"field": name, "values": found}
        for name, found in values.items()
        if any(value != found[0] for value in found)
    ]


def _pairs(ids: list[str], found: Json) -> list[Json]:
    told = []
    for i, j in combinations(range(len(ids)), 2):
        counts = list(enumerate(found["combinations"]))
        both = sum(count for mask, count in counts if mask >> i & 1 and mask >> j & 1)
        either = sum(count for mask, count in counts if mask >> i & 1 or mask >> j & 1)
        told.append(
            {
                "ids": [ids[i], ids[j]],
                "spearman": found["spearman"][i][j],
                "jaccard": both / either if either else None,
                "n_both": both,
                "n_either": either,
            }
        )
    return told


def _overlap(ids: list[str], counts: list[int]) -> list[Json]:
    """Each combination of results that flag a row together, with its count; the commonest first."""
    told = [
        {"ids": [id_ for place, id_ in enumerate(ids) if mask >> place & 1], "count": count}
        for mask, count in enumerate(counts)
        if mask and count
    ]
    return sorted(told, key=lambda one: -one["count"])
