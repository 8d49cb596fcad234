"""One watcher per process over all that anybody follows: jobs, and whether who follows may still do so.

It looks at the database only when something was committed (`jobs.changes`), with two or three queries for
everybody together. What a follower has not taken yet is replaced by what is newer, so a slow one costs no
more memory than a quick one.
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import structlog
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from pynomaly.errors import TooManyRequests
from pynomaly.server.db import Database, utc_now
from pynomaly.server.jobs import family
from pynomaly.server.jobs.changes import Changes
from pynomaly.server.jobs.models import FINISHED, Job
from pynomaly.server.jobs.schemas import JobAnswer, present
from pynomaly.server.live.credentials import Credential, Standing, live
from pynomaly.server.users.models import User

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.2
MOST_CONNECTIONS = 20
"""Of one account, per process."""
MOST_JOBS = 200
"""Followed over one connection."""
AT_ONCE = 500


@dataclass(eq=False)
class Follower:
    """One connection: who it is, what it follows, and what it has not been told yet."""

    credential: Credential
    standing: Standing
    jobs: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, str] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)

    @property
    def user(self) -> User:
        """Whose connection it is."""
        return self.standing.user

    def offer(self, job: JobAnswer) -> None:
        """Have a job told that is not known as it is now; nothing more happens to one that has ended."""
        told = job.model_dump_json()
        if self._told.get(job.id) != told:
            self._told[job.id] = self.waiting[job.id] = told
            self.news.set()
        if job.status in FINISHED:
            self.forget([job.id])

    def forget(self, ids: Collection[str]) -> None:
        """Follow these no more."""
        self.jobs.difference_update(ids)
        for id_ in ids:
            self._told.pop(id_, None)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database said: the jobs with their owners, and who may still be here."""

    jobs: dict[str, tuple[str | None, JobAnswer]]
    standings: dict[Credential, Standing]


class Hub:
    """All followers of a process; used by its event loop only. It watches while anybody is there."""

    def __init__(self, database: Database) -> None:
        """Watch `database`."""
        self._database = database
        self._followers: set[Follower] = set()
        self._watching: asyncio.Task[None] | None = None

    def join(self, credential: Credential, standing: Standing) -> Follower:
        """Let somebody in; TooManyRequests when the account has too many connections."""
        of_account = Counter(one.user.id for one in self._followers)
        if of_account[standing.user.id] >= MOST_CONNECTIONS:
            raise TooManyRequests(
                f"The account has {MOST_CONNECTIONS} connections already: close one.", retry_after=5
            )
        follower = Follower(credential, standing)
        self._followers.add(follower)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        return follower

    def leave(self, follower: Follower) -> None:
        """Forget somebody who is gone."""
        self._followers.discard(follower)

    async def close(self) -> None:
        """Stop watching, and wait until that is so."""
        self._followers.clear()
        if self._watching is not None:
            await self._watching

    async def follow(self, follower: Follower, ids: Collection[str]) -> set[str]:
        """Tell these jobs now and from now on; gives the ids that there are none of, or not to be seen."""
        follower.jobs.update(ids)
        seen = await asyncio.to_thread(self._look, set(ids), {follower.credential})
        known = {id_ for id_ in ids if id_ in seen.jobs and _may_see(follower.user, seen.jobs[id_][0])}
        follower.forget(set(ids) - known)
        for id_ in known:
            follower.offer(seen.jobs[id_][1])
        return set(ids) - known

    async def _watch(self) -> None:
        """Look until nobody is there; whatever goes wrong at one look is tried again at the next."""
        changes = Changes(self._database)
        try:
            while self._followers:
                await asyncio.sleep(TICK_SECONDS)
                try:
                    if await asyncio.to_thread(changes.changed):
                        await self._tell()
                except (OperationalError, InterfaceError) as error:
                    log.warning("database_unavailable", error=str(error.orig))
                    changes.forget()
                self._expire()
        finally:
            await asyncio.to_thread(changes.close)

    async def _tell(self) -> None:
        here = list(self._followers)  # who comes meanwhile was not asked for
        jobs = {id_ for one in here for id_ in one.jobs}
        seen = await asyncio.to_thread(self._look, jobs, {one.credential for one in here})
        for one in here:
            standing = seen.standings.get(one.credential)
            if standing is None:
                one.ended.set()
                continue
            one.standing = standing
            self._tell_one(one, seen)

    def _tell_one(self, one: Follower, seen: Seen) -> None:
        for id_ in one.jobs & seen.jobs.keys():
            owner_id, job = seen.jobs[id_]
            if _may_see(one.user, owner_id):
                one.offer(job)

    def _expire(self) -> None:
        now = utc_now()
        for one in self._followers:
            if one.standing.expires_at is not None and one.standing.expires_at <= now:
                one.ended.set()

    def _look(self, job_ids: set[str], credentials: set[Credential]) -> Seen:
        """Ask the database, in a thread."""
        jobs: dict[str, tuple[str | None, JobAnswer]] = {}
        listed = sorted(job_ids)
        with self._database.session(write=False) as session:
            standings = live(session, credentials)
            for start in range(0, len(listed), AT_ONCE):
                some = listed[start : start + AT_ONCE]
                children = family.counts(session, some)
                for job in session.scalars(select(Job).where(Job.id.in_(some))):
                    jobs[job.id] = job.owner_id, present(job, children.get(job.id))
        return Seen(jobs, standings)


def _may_see(user: User, owner_id: str | None) -> bool:
    """As `access.visible` has it for jobs: one's own; an administrator all."""
    return user.is_admin or owner_id == user.id
