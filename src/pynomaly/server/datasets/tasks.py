"""The job that reads an uploaded file: parse it, profile it, keep it as Parquet beside what was uploaded."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pynomaly.errors import NotFound
from pynomaly.server.blobs import delete_after_commit
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.service import INGEST
from pynomaly.server.db import new_id
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context, Task
from pynomaly.settings import MIB, Settings


def prepare(session: Session, job: Job, context: Context) -> dict[str, Any]:
    """Say which file to read, where the Parquet goes, and within which limits."""
    dataset = subject(session, job)
    return {
        "source": str(context.storage.open_path(str(dataset.source_key))),
        "target": str(context.storage.temp(".parquet")),
        "filename": dataset.filename,
        "label_column": dataset.label_column,
        "types": job.payload.get("types", dataset.types),
        "choice": job.payload.get("choice", dataset.choice),
        "refused": str(_refused(context)),
        "limits": limits(context.settings),
    }


def limits(settings: Settings) -> dict[str, Any]:
    """The bounds on one table, as `tables.Limits` takes them; half of a job's memory is DuckDB's."""
    return {
        "max_bad_rows": settings.max_bad_rows,
        "max_columns": settings.max_columns,
        "max_bytes": settings.max_table_mib * MIB,
        "memory_mib": settings.job_memory_mib // 2,
    }


def finish(session: Session, job: Job, result: dict[str, Any], context: Context) -> None:
    """Put the Parquet file in the place of an earlier one, if any, and mark the dataset as ready."""
    dataset = subject(session, job)
    delete_after_commit(session, context.storage, dataset.blob_key)
    dataset.blob_key = f"datasets/{dataset.id}/{new_id()}.parquet"
    context.storage.adopt(Path(result["target"]), dataset.blob_key)
    for field in ("n_rows", "columns", "dialect", "rejects", "n_rejected", "n_duplicates", "profile"):
        setattr(dataset, field, result[field])
    dataset.n_columns = len(result["columns"])
    dataset.types = job.payload.get("types", dataset.types)
    dataset.choice = job.payload.get("choice", dataset.choice)
    dataset.missing_share = missing_share(result["profile"], result["n_rows"])
    dataset.status, dataset.preview = "ready", None
    dataset.error_code, dataset.error_detail = None, None


def missing_share(profile: list[dict[str, Any]], n_rows: int) -> float:
    """The share of a table's cells that hold no value."""
    cells = n_rows * len(profile)
    return sum(column["missing"] or 0 for column in profile) / cells if cells else 0.0


def fail(session: Session, job: Job, code: str, detail: str, context: Context) -> None:
    """Say why there is no table, with the cells that were in its way.

    The upload stays, to be read in another way; so does a table that was there before.
    """
    dataset = session.get(Dataset, job.subject_id)
    if dataset is None:
        return
    dataset.error_code, dataset.error_detail = code, detail
    if dataset.blob_key is not None:
        dataset.status = "ready"
        return
    dataset.status = "failed"
    report = _refused(context)
    if report.is_file():
        found = json.loads(report.read_text())
        dataset.rejects, dataset.n_rejected = found["rejects"], found["n_rejected"]


def _refused(context: Context) -> Path:
    """Where the work leaves the cells because of which it gives up."""
    return context.storage.scratch / "refused.json"


def subject(session: Session, job: Job) -> Dataset:
    """The dataset that a job reads; raises NotFound when it is gone."""
    dataset = session.get(Dataset, job.subject_id)
    if dataset is None:
        raise NotFound("The dataset is gone.")
    return dataset


TASK = Task(INGEST, prepare, "pynomaly.server.datasets.work:run", finish, fail)
