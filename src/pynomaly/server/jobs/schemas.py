"""JSON of jobs."""

from datetime import datetime

from pynomaly.server.jobs.family import Counts
from pynomaly.server.jobs.models import Job, JobStatus
from pynomaly.server.web.schema import Answer


class Children(Answer):
    """How many children of a job have which status."""

    queued: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


class JobAnswer(Answer):
    """One job and how far it is; `children` is null unless it is made of other jobs."""

    id: str
    kind: str
    subject_id: str | None
    parent_id: str | None
    children: Children | None
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


class JobList(Answer):
    """A page of jobs."""

    items: list[JobAnswer]
    next_cursor: str | None


class Started(Answer):
    """What was asked for has begun: `id` is its result's, `job_id` the work's."""

    id: str
    job_id: str
    status: str


def present(job: Job, children: Counts | None) -> JobAnswer:
    """Give all that is known of one job."""
    fields = {name: getattr(job, name) for name in JobAnswer.model_fields if name != "children"}
    return JobAnswer(**fields, children=None if children is None else Children.model_validate(children))
