"""Answers to requests that start a job: 202 at once or, with `Prefer: wait=N` (RFC 7240), what came of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from sqlalchemy.orm import Session

from pynomaly.errors import error_of
from pynomaly.server.db import Database
from pynomaly.server.jobs.models import FINISHED, Job
from pynomaly.server.jobs.waiting import wait_finished
from pynomaly.server.web.deps import DatabaseDep, mark_carried_out

API = "/api/v1"
MOST_SECONDS = 30
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?", re.IGNORECASE)


def preferred_wait(header: str) -> int:
    """Read how many seconds a client wants to wait; 0 when it does not, 30 at most.

    >>> preferred_wait("respond-async, wait=10"), preferred_wait("wait=99"), preferred_wait("")
    (10, 30, 0)
    """
    found = _WAIT.search(header)
    return min(int(found[1]), MOST_SECONDS) if found else 0


@dataclass(frozen=True)
class Begun:
    """A job was enqueued: its id, its subject's id and address (under `API`), the answer until it is done.

    Without a job there was nothing to do, and the answer is final.
    """

    job_id: str | None
    id: str
    location: str
    answer: BaseModel


Start = Callable[[Session], Begun]
Show = Callable[[Session, str], BaseModel]


class Starter:
    """Runs a service function that starts a job, in a transaction of its own, and answers for the job."""

    def __init__(self, request: Request, database: DatabaseDep) -> None:
        """Serve one request."""
        self._request = request
        self._database: Database = database
        self._seconds = preferred_wait(",".join(request.headers.getlist("prefer")))

    async def run(self, start: Start, show: Show, done: int = 201) -> Response:
        """Commit what `start` does and answer 202; or `done` with what `show` reads, if the job ends in time.

        Raises:
            PynomalyError: the job failed in that time through a fault of the request, such as a damaged file.
        """
        begun = await run_in_threadpool(self._start, start)
        headers = {"Location": API + begun.location}
        if begun.job_id is None:
            return _json(begun.answer, done, headers)
        if self._seconds:
            headers["Preference-Applied"] = f"wait={self._seconds}"
            if await wait_finished(self._database, begun.job_id, self._seconds) in FINISHED:
                return _json(await run_in_threadpool(self._show, begun, show), done, headers)
        return _json(begun.answer, 202, headers)

    def _start(self, start: Start) -> Begun:
        with self._database.session() as session:
            begun = start(session)
            mark_carried_out(self._request, session)
            return begun

    def _show(self, begun: Begun, show: Show) -> BaseModel:
        with self._database.session(write=False) as session:
            job = session.get_one(Job, begun.job_id)
            if job.status == "failed" and (kind := error_of(job.error_code or "")):
                raise kind(job.error_detail, id=job.subject_id, job_id=job.id)
            return show(session, begun.id)


StarterDep = Annotated[Starter, Depends()]
PREFER = Annotated[
    str | None,
    Header(alias="Prefer", description="`wait=N`: wait up to N seconds (30 at most) for the job to end."),
]
"""For routes that use a `Starter`, so that the header is documented; the starter reads it itself."""


def _json(content: BaseModel, status: int, headers: dict[str, str]) -> Response:
    return Response(content.model_dump_json(), status, headers, "application/json")
