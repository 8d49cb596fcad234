"""The job that makes a sample table a dataset, and has the detection that waits for it begun."""

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pynomaly.server.datasets import tasks as ingest
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import utc_now
from pynomaly.server.detections import service
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.samples import LOAD, SAMPLES
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context, Task


def prepare(session: Session, job: Job, context: Context) -> dict[str, Any]:
    """Say which table to make and where its files go."""
    dataset = ingest.subject(session, job)
    return {
        "sample": job.payload["sample"],
        "source": str(context.storage.temp(".csv")),
        "target": str(context.storage.temp(".parquet")),
        "filename": dataset.filename,
        "label_column": dataset.label_column,
        "types": {},
        "limits": ingest.limits(context.settings),
    }


def finish(session: Session, job: Job, result: dict[str, Any], context: Context) -> None:
    """Keep the table as an upload would be kept, and enqueue the detection in the same transaction."""
    dataset = ingest.subject(session, job)
    source = Path(result["source"])
    dataset.size_bytes = source.stat().st_size
    dataset.source_key = f"uploads/{dataset.id}"
    context.storage.adopt(source, dataset.source_key)
    ingest.finish(session, job, result, context)
    detection = session.get(Detection, job.payload["detection"])
    if detection is not None:
        detection.columns = _used(dataset, job.payload["sample"])
        detection.job = service.job_of(session, detection)


def fail(session: Session, job: Job, code: str, detail: str, context: Context) -> None:
    """Say at the dataset and at the detection why there is none."""
    ingest.fail(session, job, code, detail, context)
    detection = session.get(Detection, job.payload["detection"])
    if detection is not None:
        detection.stored_status = "cancelled" if code == "cancelled" else "failed"
        detection.error_code, detection.error_detail = code, detail
        detection.finished_at = utc_now()


def _used(dataset: Dataset, name: str) -> list[str]:
    """The columns to look at: those that can be used, without what gives the answer away."""
    sample = SAMPLES[name]
    told = {sample.label_column, *sample.left_out}
    return [c["name"] for c in dataset.columns if not c["unused"] and c["name"] not in told]


TASK = Task(LOAD, prepare, "pynomaly.server.detections.sample_work:run", finish, fail)
