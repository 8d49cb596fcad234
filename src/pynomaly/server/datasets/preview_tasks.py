"""The job that looks at the beginning of an uploaded file, before somebody says how to read all of it."""

from typing import Any

from sqlalchemy.orm import Session

from pynomaly.errors import NotFound
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.service import LOOK
from pynomaly.server.datasets.tasks import limits
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context, Task


def prepare(session: Session, job: Job, context: Context) -> dict[str, Any]:
    """Say which file to look at, how it is written as far as that is known, and within which limits."""
    dataset = _subject(session, job)
    if dataset is None:
        raise NotFound("The dataset is gone, or is being imported.")
    return {
        "source": str(context.storage.open_path(str(dataset.source_key))),
        "filename": dataset.filename,
        "types": dataset.types,
        "choice": dataset.choice,
        "limits": limits(context.settings),
    }


def finish(session: Session, job: Job, result: dict[str, Any], _context: Context) -> None:
    """Keep what was seen, unless nobody waits for it any more."""
    if dataset := _subject(session, job):
        dataset.preview = result
        dataset.error_code, dataset.error_detail = None, None


def fail(session: Session, job: Job, code: str, detail: str, _context: Context) -> None:
    """Say why nothing can be seen; the file stays, to be looked at in another way."""
    if dataset := _subject(session, job):
        dataset.preview = None
        dataset.error_code, dataset.error_detail = code, detail


def _subject(session: Session, job: Job) -> Dataset | None:
    """The dataset, while this is the job that it waits for."""
    dataset = session.get(Dataset, job.subject_id, with_for_update=True)
    if dataset is None or dataset.status != "uploaded" or dataset.job_id != job.id:
        return None
    return dataset


TASK = Task(LOOK, prepare, "pynomaly.server.datasets.work:look", finish, fail)
