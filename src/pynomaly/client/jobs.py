"""Jobs: follow them, wait for them, cancel them."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from pynomaly.client.conversation import Conversation
from pynomaly.client.errors import JobCancelled, JobFailed, WaitTimedOut
from pynomaly.client.flow import Call, Flow, Pages, Pause
from pynomaly.client.models import Job, JobStatus
from pynomaly.client.operation import D, Listing, Operation, Resource, at, read

OnJob = Callable[[Job], None]
"""Is called with the job each time it was looked at."""
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.05, 2.0, 1.4


class HasJob(Protocol):
    """Something that a job makes: a dataset, a detector, a result."""

    @property
    def job_id(self) -> str | None:
        """The job's identifier."""


class Jobs(Resource[D]):
    """`client.jobs`."""

    @Listing
    def list(
        self,
        *,
        status: JobStatus | None = None,
        kind: str | None = None,
        subject_id: str | None = None,
        parent_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        sort: str | None = None,
        fields: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Pages[Job]:
        """Go through your jobs, newest first."""
        return self._pages(
            Job,
            "/jobs",
            status=status,
            kind=kind,
            subject_id=subject_id,
            parent_id=parent_id,
            since=since,
            until=until,
            sort=sort,
            fields=fields,
            limit=page_size,
        )

    @Operation
    def get(self, job: Job | str) -> Flow[Job]:
        """Look how far a job is."""
        return self._one(Job, "GET", f"/jobs/{at(job)}")

    @Operation
    def cancel(self, job: Job | str) -> Flow[Job]:
        """Stop a job; one that has ended stays as it is."""
        return self._one(Job, "POST", f"/jobs/{at(job)}/cancel")

    @Operation
    def wait(
        self, job: Job | HasJob | str, *, timeout: float | None = None, on_job: OnJob | None = None
    ) -> Flow[Job]:
        """Wait until a job has ended well; of a dataset, detector or result, its job.

        Raises:
            JobFailed: it failed; JobCancelled: somebody stopped it.
            WaitTimedOut: it goes on after `timeout` seconds.
        """
        return waited(self._conversation, job, timeout, on_job)


def waited(
    conversation: Conversation,
    job: Job | HasJob | str,
    timeout: float | None = None,
    on_job: OnJob | None = None,
) -> Flow[Job]:
    """Look at a job, ever less often, until it has ended."""
    id_ = job if isinstance(job, str) else job.id if isinstance(job, Job) else job.job_id
    if id_ is None:
        raise ValueError("There is no job to wait for.")
    begin, pause = time.monotonic(), FIRST_PAUSE
    while True:
        found = read(Job, (yield from conversation.exchange(Call("GET", f"/jobs/{at(id_)}"))))
        if on_job is not None:
            on_job(found)
        if found.ended:
            return _well(found)
        left = float("inf") if timeout is None else begin + timeout - time.monotonic()
        if left <= 0:
            raise WaitTimedOut(f"The job {id_} is still {found.status} after {timeout:g} seconds.", found)
        yield Pause(min(pause, left))
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def _well(job: Job) -> Job:
    if job.status == "cancelled":
        raise JobCancelled(job)
    if job.status == "failed":
        raise JobFailed(job)
    return job
