"""What detections and detectors are made of, without a server: an owner, a context, a stored dataset."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets import tasks as dataset_tasks
from pynomaly.server.datasets import work as dataset_work
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

Store = Callable[..., Dataset]


@pytest.fixture
def context(settings: Settings) -> Context:
    """What tasks get."""
    return Context(settings, LocalStorage(settings.home))


@pytest.fixture
def actor(database: Database) -> User:
    """An ordinary user."""
    with database.session() as session:
        user = User(email="ada@example.org", password_hash="x", role="user")
        session.add(user)
    return user


def table() -> bytes:
    """Eighty rows; row 40 is absurd and labelled so."""
    source = random.Random(3)
    lines = ["a,b,c,y"]
    for row in range(80):
        a = 900.0 if row == 40 else source.gauss(0, 1)
        lines.append(f"{a:.4f},{source.gauss(5, 2):.4f},{source.choice('xyz')},{int(row == 40)}")
    return "\n".join(lines).encode()


@pytest.fixture
def store(database: Database, context: Context, actor: User) -> Store:
    """Take a CSV in, as a worker would."""

    def store(content: bytes | None = None, label_column: str | None = "y") -> Dataset:
        path = context.storage.temp()
        path.write_bytes(content or table())
        with database.session() as session:
            dataset = datasets.create(
                session, actor, context.storage, path, "t.csv", label_column=label_column
            )
            payload = dataset_tasks.prepare(session, session.get_one(Job, dataset.job_id), context)
        outcome = dataset_work.run(payload, _ignore)
        with database.session() as session:
            dataset_tasks.finish(session, session.get_one(Job, dataset.job_id), outcome, context)
        return dataset

    return store


def _ignore(*_: Any) -> None:
    """Nobody asks how far it is."""
