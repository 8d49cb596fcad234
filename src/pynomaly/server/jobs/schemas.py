"""JSON of jobs."""

from datetime import datetime

from pynomaly.server.jobs.models import JobStatus
from pynomaly.server.web.schema import Answer


class JobAnswer(Answer):
    """One job and how far it is."""

    id: str
    kind: str
    subject_id: str | None
    status: JobStatus
    progress: float
    progress_text: str
    attempts: int
    cancel_requested: bool
    error_code: str | None
    error_detail: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Started(Answer):
    """What was asked for has begun: `id` is its result's, `job_id` the work's."""

    id: str
    job_id: str
    status: str
