"""The life of a dataset's job, step by step in one process: prepare, run, finish, fail."""

from pathlib import Path
from typing import Any

import pytest

from pynomaly import tables
from pynomaly.errors import BadValue, Forbidden, LabelError, NotFound, NotReady, TableEmpty
from pynomaly.server.datasets import imports, service, tasks, work
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context
from pynomaly.server.storage import LocalStorage
from pynomaly.server.tasks import TASKS, keys_in_use
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import Role
from pynomaly.settings import Settings

CSV = b"a,b,y\n" + b"".join(b"%d.5,%d,%d\n" % (i, i % 7, i % 2) for i in range(30))


@pytest.fixture
def context(settings: Settings) -> Context:
    """What tasks get."""
    return Context(settings, LocalStorage(settings.home))


def person(database: Database, role: Role = "user") -> User:
    """Somebody."""
    with database.session() as session:
        user = User(email=f"{role}@example.org", password_hash="x", role=role)
        session.add(user)
    return user


def uploaded(context: Context, content: bytes = CSV) -> Path:
    """A received file."""
    path = context.storage.temp(".upload")
    path.write_bytes(content)
    return path


def create(database: Database, context: Context, actor: User, **more: Any) -> Dataset:
    """Take an upload in."""
    with database.session() as session:
        return service.create(session, actor, context.storage, uploaded(context), "../my table.csv", **more)


def test_upload_to_rows(database: Database, context: Context) -> None:
    """Source and Parquet are kept; profile, rows and keys are as they should be."""
    actor = person(database)
    dataset = create(database, context, actor, label_column="y")
    assert (dataset.name, dataset.filename, dataset.status) == ("my table", "my table.csv", "processing")
    assert dataset.progress == 0.0
    with database.session() as session:
        with pytest.raises(NotReady, match="still being read"):
            service.rows(session, actor, context.storage, dataset.id)
        job = session.get_one(Job, dataset.job_id)
        assert (job.kind, job.owner_id, job.subject_id) == (tasks.TASK.kind, actor.id, dataset.id)
        assert keys_in_use(session) == {dataset.source_key}
        payload = tasks.prepare(session, job, context)
    told: list[tuple[float, str]] = []
    outcome = work.run(payload, lambda done, text: told.append((done, text)))
    assert told
    with database.session() as session:
        tasks.finish(session, session.get_one(Job, dataset.job_id), outcome, context)
    with database.session() as session:
        found = service.get(session, actor, dataset.id)
        assert (found.status, found.n_rows, found.n_columns, found.progress) == ("ready", 30, 3, 1.0)
        assert [column["name"] for column in found.profile] == ["a", "b", "y"]
        assert keys_in_use(session) == {found.blob_key, found.source_key}
        assert context.storage.path(str(found.source_key)).read_bytes() == CSV
        rows, cursor = service.rows(session, actor, context.storage, dataset.id, limit=20)
        more, end = service.rows(session, actor, context.storage, dataset.id, cursor, 20)
        assert ([row.row for row in rows + more], end) == (list(range(30)), None)
        assert more[0].values == {"a": 20.5, "b": 6, "y": 0}
        past = service.positions.encode("row", 30)
        assert service.rows(session, actor, context.storage, dataset.id, past, 20) == ([], None)


def test_a_failure_keeps_the_upload_to_be_read_in_another_way(database: Database, context: Context) -> None:
    """The dataset says why; a job whose dataset is gone fails quietly."""
    actor = person(database)
    dataset = create(database, context, actor, label_column="nope")
    with database.session() as session:
        payload = tasks.prepare(session, session.get_one(Job, dataset.job_id), context)
    with pytest.raises(LabelError):
        work.run(payload, lambda *_: None)
    with database.session() as session:
        tasks.fail(
            session, session.get_one(Job, dataset.job_id), "bad_label_column", "no such column", context
        )
    with database.session() as session:
        found = service.get(session, actor, dataset.id)
        assert (found.status, found.error_code, found.progress) == ("failed", "bad_label_column", 1.0)
        assert keys_in_use(session) == {found.source_key}
        with pytest.raises(NotReady, match="could not be read"):
            service.get_ready(session, actor, dataset.id)
        orphan = Job(kind=tasks.TASK.kind, subject_id="gone", payload={})
        tasks.fail(session, orphan, "x", "y", context)
        with pytest.raises(NotFound):
            tasks.prepare(session, orphan, context)
    assert context.storage.path(str(dataset.source_key)).read_bytes() == CSV
    with database.session() as session:
        again = imports.start(session, actor, dataset.id, label_column="y")
        assert (again.status, again.error_code, again.label_column) == ("processing", None, "y")
        with pytest.raises(NotReady, match="still being read"):
            imports.start(session, actor, dataset.id)
        payload = tasks.prepare(session, session.get_one(Job, again.job_id), context)
    outcome = work.run(payload, lambda *_: None)
    with database.session() as session:
        tasks.finish(session, session.get_one(Job, again.job_id), outcome, context)
        assert service.get(session, actor, dataset.id).n_rows == 30


def test_refused_uploads(database: Database, context: Context) -> None:
    """An empty file, a bad name, somebody who may only look: nothing is stored."""
    actor, viewer = person(database), person(database, "viewer")
    with database.session() as session:
        with pytest.raises(TableEmpty):
            service.create(session, actor, context.storage, uploaded(context, b""), "t.csv")
        with pytest.raises(BadValue):
            service.create(session, actor, context.storage, uploaded(context), "t.csv", name="a\nb")
        with pytest.raises(Forbidden):
            service.create(session, viewer, context.storage, uploaded(context), "t.csv")
        assert service.list_page(session, actor) == ([], None)
    assert not (context.settings.home / "blobs").exists()


def test_limits_come_from_the_settings(settings: Settings) -> None:
    """What one may upload is what `tables` enforces."""
    bounds = tables.Limits(**tasks.limits(settings))
    assert bounds.max_columns == settings.max_columns
    assert bounds.max_bytes == settings.max_table_mib * 2**20
    assert set(TASKS) == {
        "dataset.preview",
        "dataset.ingest",
        "dataset.sample",
        "detector.train",
        "detection.run",
        "detection.preview",
    }
