"""A parent job stands as its children stand: exactly, whoever ends them and in whatever order."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from pynomaly.server.db import Database
from pynomaly.server.jobs import family, queue
from pynomaly.server.jobs.lookout import Lookout
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.outcome import CANCELLED, Outcome
from pynomaly.server.jobs.queue import Lease, lease_of
from pynomaly.server.jobs.settle import cancel, cancel_waiting, settle
from pynomaly.server.jobs.tasks import Context, Task
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

DONE = Outcome("done")
FAILED = Outcome("failed", "no", "It did not work.")
DIED = Outcome("died", "killed", "signal 9")
TASK = Task("part", lambda *_: {}, "nothing:run", lambda *_: None, lambda *_: None)
TASKS = {"part": TASK}


@pytest.fixture
def context(settings: Settings) -> Context:
    """What tasks get."""
    return Context(settings, LocalStorage(settings.home))


class Family:
    """A parent and its children in the database."""

    def __init__(self, database: Database, children: int) -> None:
        self.database = database
        with database.session() as session:
            self.id = queue.enqueue(session, "whole", {}, owner_id=None, subject_id=None).id
            self.children = [
                queue.enqueue(session, "part", {}, owner_id=None, subject_id=None, parent_id=self.id).id
                for _ in range(children)
            ]

    def claim(self, limit: int = 100) -> list[Lease]:
        with self.database.session() as session:
            return [lease_of(job) for job in queue.claim(session, "w", 60, ["part"], limit)]

    def parent(self) -> Job:
        with self.database.session(write=False) as session:
            return session.get_one(Job, self.id)

    def told(self) -> tuple[str, float, str | None]:
        parent = self.parent()
        return parent.status, round(parent.progress, 3), parent.error_code


def test_step_by_step(database: Database, context: Context) -> None:
    """Queued, running, some done, all done; a retry changes nothing; only missing results are errors."""
    made = Family(database, 3)
    assert made.told() == ("queued", 0.0, None)
    [first] = made.claim(1)
    assert made.told() == ("running", 0.0, None)
    assert made.parent().started_at is not None
    settle(database, first, TASK, DIED, context)
    assert made.told() == ("running", 0.0, None)
    one, two = made.claim(2)
    settle(database, one, TASK, DONE, context)
    assert made.told() == ("running", 0.333, None)
    assert made.parent().progress_text == "1 of 3 done"
    settle(database, two, TASK, FAILED, context)
    with database.session() as session:
        session.get_one(Job, first.job_id).available_at = session.get_one(Job, first.job_id).created_at
    [again] = made.claim()
    settle(database, again, TASK, DONE, context)
    assert made.told() == ("completed", 1.0, "some_children_failed")
    parent = made.parent()
    assert (parent.error_detail, parent.progress_text) == ("1 of 3 have no result: each job says why.", "")
    assert parent.finished_at is not None
    with database.session(write=False) as session:
        assert family.counts(session, [made.id, first.job_id]) == {made.id: {"completed": 2, "failed": 1}}


@pytest.mark.parametrize(
    ("ends", "status", "code"),
    [
        ([DONE, DONE], "completed", None),
        ([FAILED, FAILED], "failed", "children_failed"),
        ([CANCELLED, CANCELLED], "cancelled", "cancelled"),
        ([CANCELLED, FAILED], "failed", "children_failed"),
        ([CANCELLED, DONE], "completed", "some_children_failed"),
    ],
)
def test_how_it_ends(
    database: Database, context: Context, ends: list[Outcome], status: str, code: str | None
) -> None:
    """One success is enough; none, and a failure, is a failure."""
    made = Family(database, 2)
    for lease, end in zip(made.claim(), ends, strict=True):
        settle(database, lease, TASK, end, context)
    assert made.told() == (status, 1.0, code)


def test_two_that_end_at_the_same_moment(database: Database) -> None:
    """Neither sees the other's end before it has the parent's lock; so one of them sees both."""
    made = Family(database, 2)
    one, two = made.claim()
    held = threading.Event()

    def end(session: Session, lease: Lease) -> None:
        queue.complete(session, queue.hold(session, lease))
        family.ended(session, made.id)

    def second() -> None:
        held.wait(20)
        with database.session() as session:
            end(session, two)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        with database.session() as session:
            end(session, one)
            held.set()
            time.sleep(0.2)  # the other is at the lock by now, or past it when there is none
        waiting.result()
    assert made.told() == ("completed", 1.0, None)


def test_many_at_once(database: Database, context: Context) -> None:
    """Eight threads, three families: every parent ends, and ends right."""
    families = [Family(database, 8) for _ in range(3)]
    leases = families[0].claim()
    assert len(leases) == 24
    ends: list[Callable[[], object]] = [
        lambda lease=lease: settle(database, lease, TASK, DONE, context)  # type: ignore[misc]
        for lease in leases
    ]
    with ThreadPoolExecutor(8) as pool:
        assert [run.result() for run in [pool.submit(end) for end in ends]] == ["completed"] * 24
    assert [made.told() for made in families] == [("completed", 1.0, None)] * 3


def test_cancelling_the_parent(database: Database, context: Context) -> None:
    """Children that wait end at once, those that run are asked to; the last one's end is the parent's."""
    made = Family(database, 3)
    [running] = made.claim(1)
    with database.session() as session:
        cancel(session, session.get_one(Job, made.id), TASKS, context)
    with database.session(write=False) as session:
        assert family.counts(session, [made.id]) == {made.id: {"cancelled": 2, "running": 1}}
        assert session.get_one(Job, running.job_id).cancel_requested
    assert made.told() == ("running", 0.667, None)
    settle(database, running, TASK, CANCELLED, context)
    assert made.told() == ("cancelled", 1.0, "cancelled")
    before = made.parent()
    with database.session() as session:
        cancel(session, session.get_one(Job, made.id), TASKS, context)
    assert (made.parent().finished_at, made.told()[0]) == (before.finished_at, "cancelled")


def test_cancelling_children_one_by_one(database: Database, context: Context) -> None:
    """By a request or by a worker; the parent follows."""
    made = Family(database, 2)
    with database.session() as session:
        cancel(session, session.get_one(Job, made.children[0]), TASKS, context)
    assert made.told() == ("queued", 0.5, None)
    with database.session() as session:
        queue.cancel(session, session.get_one(Job, made.children[1]))
    cancel_waiting(database, made.children[1], TASK, context)
    assert made.told() == ("cancelled", 1.0, "cancelled")


def test_all_wait_when_it_is_cancelled(database: Database, context: Context) -> None:
    """Nothing ran: it ends in the same transaction."""
    made = Family(database, 4)
    with database.session() as session:
        cancel(session, session.get_one(Job, made.id), TASKS, context)
    assert made.told() == ("cancelled", 1.0, "cancelled")


def test_no_worker_takes_a_parent_for_work_or_for_dead(database: Database) -> None:
    """It is not claimed, and while it runs it is not among the jobs whose lease may run out."""
    made = Family(database, 2)
    made.claim(1)
    with database.session(write=False) as session:
        states = queue.running(session)
    assert [state.kind for state in states] == ["part"]
    now = [0.0]
    lookout = Lookout(15, lambda: now[0])
    lookout.stale(states)
    now[0] = 100.0
    assert [state.kind for state in lookout.stale(states)] == ["part"]
    with database.session() as session:
        assert {job.kind for job in queue.claim(session, "w", 60, list(TASKS), 10)} == {"part"}
