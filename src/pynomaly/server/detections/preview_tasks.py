"""The job that tries settings on a sample of a dataset."""

from typing import Any

from sqlalchemy.orm import Session

from pynomaly.errors import NotFound
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detections.models import Preview
from pynomaly.server.detections.previews import PREVIEW, ROWS
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context, Task


def prepare(session: Session, job: Job, context: Context) -> dict[str, Any]:
    """Look up the dataset and the recipe."""
    preview = _subject(session, job)
    dataset = session.get(Dataset, preview.dataset_id)
    if dataset is None or dataset.blob_key is None:
        raise NotFound("The dataset is gone.")
    return {
        "table": str(context.storage.open_path(dataset.blob_key)),
        "memory_mib": context.settings.job_memory_mib // 4,
        "label_column": dataset.label_column,
        "recipe": preview.recipe,
        "rows": ROWS,
    }


def finish(session: Session, job: Job, result: dict[str, Any], _context: Context) -> None:
    """Keep what was found."""
    preview = _subject(session, job)
    preview.result, preview.stored_status = result, "completed"


def fail(session: Session, job: Job, code: str, detail: str, _context: Context) -> None:
    """Say why there is nothing to see."""
    preview = session.get(Preview, job.subject_id)
    if preview is not None:
        preview.stored_status = "cancelled" if code == "cancelled" else "failed"
        preview.error_code, preview.error_detail = code, detail


def _subject(session: Session, job: Job) -> Preview:
    preview = session.get(Preview, job.subject_id)
    if preview is None:
        raise NotFound("The preview is gone.")
    return preview


TASK = Task(PREVIEW, prepare, "pynomaly.server.detections.preview_work:run", finish, fail)
