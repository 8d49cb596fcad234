"""A full store to measure pages on: many datasets, results with their jobs, and one result of many rows."""

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from running import Running
from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database, load_models, new_id
from pynomaly.server.detections.models import Detection
from pynomaly.server.detectors.models import Detector
from pynomaly.server.jobs.models import Job
from pynomaly.settings import Settings
from server import write_csv

DATASETS, RESULTS, JOBS_DAYS, BATCH = 1000, 10_000, 90, 500


@dataclass(frozen=True)
class Full:
    """Ids of what is worth opening."""

    dataset: str
    detector: str
    result: str
    small_results: list[str]


def fill(server: Running, home: Path, rows: int) -> Full:
    """Make the large result through the API, and the many by copying a small one's records."""
    large = _result(server, home / "large.csv", rows)
    small = _result(server, home / "small.csv", 2000)
    load_models()
    database = Database(Settings(home=home))
    try:
        with database.session() as session:
            names = _copies(session, Dataset.__table__, small[0], DATASETS, name="table")  # type: ignore[arg-type]
        with database.session() as session:
            found = session.get_one(Detection, small[2])
            jobs = _copies(session, Job.__table__, str(found.job_id), RESULTS)  # type: ignore[arg-type]
            made = _copies(
                session,
                Detection.__table__,  # type: ignore[arg-type]
                small[2],
                RESULTS,
                dataset_id=lambda place: names[place % DATASETS],
                job_id=lambda place: jobs[place],
            )
        with database.session() as session:
            _copies(session, Detector.__table__, small[1], 200, name="detector")  # type: ignore[arg-type]
    finally:
        database.close()
    return Full(large[0], small[1], large[2], made[:5])


def _result(server: Running, path: Path, rows: int) -> tuple[str, str, str]:
    """Upload, train and detect; returns the ids of dataset, detector and detection."""
    write_csv(path, rows)
    with path.open("rb") as file:
        dataset = server.post("/datasets/upload", files={"file": (path.name, file, "text/csv")})
    server.finished(f"/datasets/{dataset['id']}", ("processing",))
    detector = server.post("/detectors", json={"name": path.stem, "algorithm": "isolation_forest"})
    body = {"dataset_id": dataset["id"], "detector_id": detector["id"]}
    begun = server.post("/detection/detect", json=body)
    server.finished(f"/detection/results/{begun['id']}", ("queued", "running"), 300)
    path.unlink()
    return dataset["id"], detector["id"], begun["id"]


def _copies(session: Session, table: Table, id_: str, count: int, **changed: Any) -> list[str]:
    """Insert `count` copies of a row, spread over the last months; returns their ids."""
    first = dict(session.execute(select(table).where(table.c.id == id_)).mappings().one())
    source, ids = random.Random(0), [new_id() for _ in range(count)]
    rows = []
    for place, new in enumerate(ids):
        row = first | {"id": new}
        back = timedelta(seconds=source.random() * JOBS_DAYS * 86400)
        for name, value in row.items():
            if name.endswith("_at") and value is not None:
                row[name] = value - back
        for name, value in changed.items():
            row[name] = value(place) if callable(value) else f"{value} {place}"
        rows.append(row)
    for start in range(0, count, BATCH):
        session.execute(insert(table), rows[start : start + BATCH])
    return ids
