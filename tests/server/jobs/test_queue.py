"""The queue's own promises: claimed once, fenced, in order, retried later; on both databases."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from pynomaly.errors import LeaseLost
from pynomaly.server.db import Database, utc_now
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.queue import Lease
from pynomaly.settings import Settings

KINDS = ["echo"]


def claim(database: Database, worker: str = "w", limit: int = 1, kinds: list[str] = KINDS) -> list[Lease]:
    with database.session() as session:
        return [queue.lease_of(job) for job in queue.claim(session, worker, 15, kinds, limit)]


def test_each_job_is_claimed_once_by_many_workers(jobs: Any, database: Database, settings: Settings) -> None:
    with database.session() as session:
        for _ in range(120):
            queue.enqueue(session, "echo", {}, owner_id=None, subject_id=None)
    claimed: list[Lease] = []

    def work(number: int) -> None:
        mine = Database(settings)
        while leases := claim(mine, f"worker-{number}", limit=1 + number % 3):
            claimed.extend(leases)
        mine.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    # with SKIP LOCKED a worker may see an empty queue while the last rows are locked, so all must be done
    assert Counter(lease.job_id for lease in claimed).most_common(1)[0][1] == 1
    assert len(claimed) == 120
    assert len({lease.worker for lease in claimed}) > 1


def test_rolled_back_job_never_existed(jobs: Any, database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.session() as session:
        queue.enqueue(session, "echo", {}, owner_id=None, subject_id=None).priority = 1 // 0
    assert claim(database) == []


def test_unknown_kinds_are_left_to_other_workers(jobs: Any, database: Database) -> None:
    jobs.add("from the future")
    assert claim(database) == []
    assert len(claim(database, kinds=["from the future"])) == 1


def test_attempts_come_from_the_settings(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"job_max_attempts": 7}))
    with database.session() as session:
        assert queue.enqueue(session, "echo", {}, owner_id=None, subject_id=None).max_attempts == 7
    database.close()


def stale(database: Database, jobs: Any) -> tuple[Lease, Lease]:
    """A lease whose job was taken over, and the present one."""
    jobs.add("echo")
    (old,) = claim(database, "zombie")
    with database.session() as session:
        queue.give_back(session, queue.hold(session, old))
    (new,) = claim(database, "zombie")  # even the same worker: the attempt's number tells them apart
    return old, new


@pytest.mark.parametrize("end", [queue.complete, queue.give_back])
def test_stale_attempt_changes_nothing(
    jobs: Any, database: Database, end: Callable[[Session, Job], None]
) -> None:
    old, new = stale(database, jobs)
    before = repr(vars(jobs.get(old.job_id)) | {"_sa_instance_state": 0})
    with pytest.raises(LeaseLost, match="no longer the present one"), database.session() as session:
        end(session, queue.hold(session, old))
    with pytest.raises(LeaseLost), database.session() as session:
        queue.heartbeat(session, old, 15, 0.9, "stale")
    assert repr(vars(jobs.get(old.job_id)) | {"_sa_instance_state": 0}) == before
    with database.session() as session:
        queue.heartbeat(session, new, 15, 0.25, "fresh")
    assert (jobs.get(new.job_id).progress, jobs.get(new.job_id).progress_text) == (0.25, "fresh")


def test_deleted_job_is_a_lost_lease(jobs: Any, database: Database) -> None:
    with pytest.raises(LeaseLost), database.session() as session:
        queue.hold(session, Lease("no such job", 1, "w"))
    with pytest.raises(LeaseLost), database.session() as session:
        queue.hold_waiting(session, "no such job")


def test_retry_waits_longer_each_time(jobs: Any, database: Database) -> None:
    job_id = jobs.add("echo", attempts=20)
    waits = []
    for _ in range(8):
        (lease,) = claim(database)
        with database.session() as session:
            queue.retry(session, queue.hold(session, lease), "killed", "signal 9")
        waits.append(round((jobs.get(job_id).available_at - utc_now()).total_seconds()))
        assert claim(database) == []  # not yet
        with database.session() as session:
            session.execute(update(Job).values(available_at=utc_now()))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_clock_set_back_does_not_hold_a_retry(jobs: Any, database: Database) -> None:
    jobs.add("echo")
    with database.session() as session:
        session.execute(update(Job).values(available_at=utc_now() + timedelta(hours=1)))
    assert len(claim(database)) == 1


def test_claim_reads_an_index_only_as_far_as_needed(jobs: Any, database: Database) -> None:
    jobs.add("echo")
    if database.is_sqlite:
        plan = "EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE status = 'queued' " \
               "ORDER BY priority DESC, created_at, id LIMIT 1"  # fmt: skip
        with database.session(write=False) as session:
            steps = [row[3] for row in session.execute(text(plan))]
    else:
        plan = """EXPLAIN SELECT id FROM jobs WHERE status = 'queued'
                  ORDER BY priority DESC, created_at, id LIMIT 1"""
        with database.session() as session:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            steps = [row[0] for row in session.execute(text(plan))]
    assert any("ix_jobs_claim" in step for step in steps)
    assert not any("TEMP B-TREE" in step or "Sort" in step for step in steps)
