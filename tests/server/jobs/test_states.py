"""The job state machine: whatever workers do in whatever order, each job has one end and one effect."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as bounded
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from pynomaly.errors import FitFailed, LeaseLost
from pynomaly.server.db import Database, utc_now
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import FINISHED, Job
from pynomaly.server.jobs.outcome import CANCELLED, GIVEN_BACK, Outcome
from pynomaly.server.jobs.queue import Lease
from pynomaly.server.jobs.settle import cancel_waiting, settle
from pynomaly.server.jobs.tasks import Context, Task
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

DIED = Outcome("died", "killed", "signal 9")
FAILED = Outcome("failed", "fit_failed", "no")
DONE = Outcome("done")
GONE = Outcome("done", result={"gone": True})  # and then it cannot be recorded


@dataclass
class Model:
    """What a job should be."""

    max_attempts: int
    status: str = "queued"
    attempts: int = 0
    cancelled: bool = False
    lease: Lease | None = None
    effects: list[str] = field(default_factory=list)

    def end(self, outcome: Outcome) -> None:
        """Expect what the end of the present attempt leads to."""
        self.lease = None
        if outcome is DONE:
            self.status, self.effects = "completed", ["finish"]
        elif self.cancelled or outcome is CANCELLED:
            self.status, self.effects = "cancelled", ["cancelled"]
        elif outcome is GIVEN_BACK:
            self.status, self.max_attempts = "queued", self.max_attempts + 1
        elif outcome is DIED and self.attempts < self.max_attempts:
            self.status = "queued"
        else:
            self.status, self.effects = "failed", [outcome.code or FitFailed.code]


def machine(database: Database, context: Context) -> type[RuleBasedStateMachine]:
    """The state machine on this database."""

    def note(session: Session, job: Job, what: str) -> None:
        values = {"j": job.id, "a": job.attempts, "w": what}
        session.execute(text("INSERT INTO effects VALUES (:j, :a, :w, '')"), values)

    def finish(session: Session, job: Job, result: dict[str, Any], _: Context) -> None:
        note(session, job, "finish")
        if result.get("gone"):
            raise FitFailed("gone")

    def fail(session: Session, job: Job, code: str, _detail: str, _: Context) -> None:
        note(session, job, code)

    task = Task("t", lambda *_: {}, "", finish, fail)

    class Jobs(RuleBasedStateMachine):
        jobs = Bundle("jobs")
        leases = Bundle("leases")

        def __init__(self) -> None:
            super().__init__()
            self.models: dict[str, Model] = {}
            with database.session() as session:
                session.execute(delete(Job))
                session.execute(text("DELETE FROM effects"))

        @initialize()
        def begin(self) -> None:
            for attempts in (1, 2, 3):
                self.enqueue(attempts, 0)

        @rule(target=jobs, attempts=st.integers(1, 3), priority=st.integers(-1, 1))
        def enqueue(self, attempts: int, priority: int) -> str:
            with database.session() as session:
                job = queue.enqueue(session, "t", {}, owner_id=None, subject_id=None, priority=priority)
                job.max_attempts = attempts
                self.models[job.id] = Model(attempts)
                return job.id

        @rule(target=leases, worker=st.sampled_from("ab"), limit=st.integers(1, 2))
        def claim(self, worker: str, limit: int) -> Lease:
            with database.session() as session:
                session.execute(update(Job).values(available_at=utc_now()))  # time passes
                claimed = [queue.lease_of(job) for job in queue.claim(session, worker, 15, ["t"], limit)]
            waiting = [m for m in self.models.values() if m.status == "queued" and not m.cancelled]
            assert len(claimed) == min(limit, len(waiting))
            for lease in claimed:
                model = self.models[lease.job_id]
                assert model in waiting
                model.attempts += 1
                model.status, model.lease = "running", lease
                assert lease.attempt == model.attempts
            return claimed[0] if claimed else Lease("none", 1, worker)

        def live(self) -> list[Model]:
            return [model for model in self.models.values() if model.lease]

        @precondition(lambda self: self.live())
        @rule(
            which=st.integers(0, 9),
            outcome=st.sampled_from([DONE, GONE, FAILED, DIED, GIVEN_BACK, CANCELLED]),
        )
        def settle_the_present_attempt(self, which: int, outcome: Outcome) -> None:
            model = self.live()[which % len(self.live())]
            assert model.lease is not None
            status = settle(database, model.lease, task, outcome, context)
            model.end(outcome)
            assert status == model.status

        @rule(lease=leases, outcome=st.sampled_from([DONE, FAILED, DIED, GIVEN_BACK, CANCELLED]))
        def settle_a_stale_attempt(self, lease: Lease, outcome: Outcome) -> None:
            model = self.models.get(lease.job_id)
            if model is None or model.lease != lease:
                with pytest.raises(LeaseLost):
                    settle(database, lease, task, outcome, context)

        @rule(lease=leases, progress=st.floats(0, 1))
        def heartbeat(self, lease: Lease, progress: float) -> None:
            model = self.models.get(lease.job_id)
            try:
                with database.session() as session:
                    queue.heartbeat(session, lease, 15, progress, "")
                held = True
            except LeaseLost:
                held = False
            assert held == (model is not None and model.lease == lease)

        @rule(job_id=jobs)
        def cancel(self, job_id: str) -> None:
            with database.session() as session:
                queue.cancel(session, session.get_one(Job, job_id))
            if self.models[job_id].status not in FINISHED:
                self.models[job_id].cancelled = True

        @rule()
        def cancel_what_waits(self) -> None:
            with database.session(write=False) as session:
                waiting = queue.cancelled_waiting(session)
            for job_id, _ in waiting:
                cancel_waiting(database, job_id, task, context)
                self.models[job_id].status, self.models[job_id].effects = "cancelled", ["cancelled"]

        @invariant()
        def database_agrees(self) -> None:
            with database.session(write=False) as session:
                found = {job.id: job for job in session.scalars(select(Job))}
                effects = session.execute(text("SELECT job_id, what FROM effects")).all()
                running = {state.lease for state in queue.running(session)}
            assert running == {m.lease for m in self.models.values() if m.lease}
            for job_id, model in self.models.items():
                job = found[job_id]
                seen = (job.status, job.attempts, job.max_attempts, job.cancel_requested)
                assert seen == (model.status, model.attempts, model.max_attempts, model.cancelled)
                assert [what for id_, what in effects if id_ == job_id] == model.effects
                assert (job.finished_at is not None) == (job.status in FINISHED)

    return Jobs


def test_every_history_ends_once(jobs: Any, database: Database, settings: Settings) -> None:
    context = Context(settings, LocalStorage(settings.home))
    bounds = bounded(
        deadline=None, max_examples=30, stateful_step_count=30, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine(database, context), settings=bounds)
