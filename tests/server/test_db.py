"""The database layer: times, transactions, read-only sessions and addresses, on both databases."""

from pynomaly.server.db import Database
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.queue import enqueue


def add(database: Database) -> str:
    with database.session() as session:
        return enqueue(session, "test", {}, owner_id=None, subject_id=None).id


def test_commits_at_the_end(database: Database) -> None:
    job_id = add(database)
    with database.session(write=False) as session:
        assert session.get_one(Job, job_id).status == "queued"
