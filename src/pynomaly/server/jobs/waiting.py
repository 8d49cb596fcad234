"""Wait for a job to finish, for requests that say `Prefer: wait=N` (RFC 7240)."""

import asyncio
import time

from sqlalchemy import select

from pynomaly.errors import NotFound
from pynomaly.server.db import Database
from pynomaly.server.jobs.models import FINISHED, Job, JobStatus

FIRST_POLL_SECONDS = 0.02
LONGEST_POLL_SECONDS = 0.25


async def wait_finished(database: Database, job_id: str, seconds: float) -> JobStatus:
    """Wait until the job is finished, at most so many seconds; gives its status then.

    Raises NotFound when there is no such job. The database is asked in a thread, at growing intervals.
    """
    end = time.monotonic() + seconds
    pause = FIRST_POLL_SECONDS
    while True:
        status = await asyncio.to_thread(_status, database, job_id)
        left = end - time.monotonic()
        if status in FINISHED or left <= 0:
            return status
        await asyncio.sleep(min(pause, left))
        pause = min(1.25 * pause, LONGEST_POLL_SECONDS)


def _status(database: Database, job_id: str) -> JobStatus:
    with database.session(write=False) as session:
        status = session.scalar(select(Job.status).where(Job.id == job_id))
    if status is None:
        raise NotFound("There is no such job.")
    return status
