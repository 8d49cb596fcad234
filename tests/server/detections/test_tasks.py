"""The life of detections and trainings, step by step in one process: start, prepare, run, finish, fail."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pynomaly.errors import (
    BadBundle,
    BadParameter,
    BadValue,
    Forbidden,
    NotFound,
    NotReady,
    NoUsableColumns,
    SchemaMismatch,
    TooFewRows,
)
from pynomaly.library import Detector as Fitted
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database
from pynomaly.server.detections import service, tasks, work
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.view import View
from pynomaly.server.detectors import service as detectors
from pynomaly.server.detectors import tasks as training
from pynomaly.server.detectors import work as training_work
from pynomaly.server.detectors.models import Detector, Model
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context
from pynomaly.server.tasks import keys_in_use
from pynomaly.server.users.models import User

Store = Callable[..., Dataset]
Told = list[tuple[float, str]]


def perform(database: Database, context: Context, detection: Detection) -> Told:
    """Do a detection's job as a worker would; what it told of its progress."""
    told: Told = []
    with database.session() as session:
        payload = json.loads(
            json.dumps(tasks.prepare(session, session.get_one(Job, detection.job_id), context))
        )
    outcome = json.loads(json.dumps(work.run(payload, lambda done, text: told.append((done, text)))))
    with database.session() as session:
        tasks.finish(session, session.get_one(Job, detection.job_id), outcome, context)
    return told


def test_detect_with_an_algorithm(database: Database, context: Context, actor: User, store: Store) -> None:
    """The model is kept, of no detector; the absurd row is first; progress only rises."""
    dataset = store()
    with database.session() as session:
        detection = service.start(session, actor, dataset.id, algorithm="isolation_forest", seed=5)
        assert (detection.status, detection.progress) == ("queued", 0.0)
    told = perform(database, context, detection)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {"training", "scoring"} & {text.lower() for _, text in told}
    with database.session() as session:
        found = service.get(session, actor, detection.id)
        assert (found.status, found.progress, found.n_rows) == ("completed", 1.0, 80)
        assert found.metrics is not None
        assert found.metrics["auc_roc"] == 1.0
        model = session.get_one(Model, found.model_id)
        assert (model.detector_id, model.dataset_id, model.version) == (None, dataset.id, 1)
        assert [column["name"] for column in model.columns] == ["a", "b", "c"]
        rows, cursor = service.rows(session, actor, context.storage, detection.id, limit=5)
        assert rows[0].row == 40
        assert rows[0].reasons[0]["column"] == "a"
        assert cursor is not None
        assert len(keys_in_use(session)) == 4  # the upload, the table, the model, the result
        assert service.list_page(session, actor)[0] == [found]
        made = service.export(session, actor, context.storage, detection.id, "csv")
        assert made.filename == "t anomalies.csv"
        assert made.write(context.storage, context.settings).read_text("utf-8").count("\n") == 81
        context.storage.path(str(found.blob_key)).write_bytes(b"damaged")
        before = list((context.settings.home / "tmp").rglob("*"))
        with pytest.raises(subprocess.CalledProcessError):
            made.write(context.storage, context.settings)
        assert list((context.settings.home / "tmp").rglob("*")) == before
        with pytest.raises(BadValue, match="sort is one of"):
            service.rows(session, actor, context.storage, detection.id, View("amount"))


def test_an_untrained_detector_is_trained_and_then_used(
    database: Database, context: Context, actor: User, store: Store
) -> None:
    """Only one job at a time trains it; its model is used from then on; a changed file is refused."""
    dataset = store()
    with database.session() as session:
        detector = detectors.create(session, actor, "d", columns=["a", "b"], contamination=0.05)
        first = service.start(session, actor, dataset.id, detector.id)
        assert (first.model_id, detector.status) == (None, "training")
    for again in (
        lambda session: service.start(session, actor, dataset.id, detector.id),
        lambda session: detectors.start_training(session, actor, detector.id, dataset.id),
        lambda session: detectors.update(session, actor, detector.id, "d", "elliptic_envelope"),
    ):
        with pytest.raises(NotReady, match="being trained"), database.session() as session:
            again(session)
    perform(database, context, first)
    with database.session() as session:
        second = service.start(session, actor, dataset.id, detector.id)
        found = detectors.get(session, actor, detector.id)
        model = detectors.model_of(session, found)
        assert model is not None
        assert (found.status, second.model_id, model.version) == ("trained", model.id, 1)
    perform(database, context, second)
    with database.session() as session:
        assert service.get(session, actor, second.id).n_anomalies == 4
        third = service.start(session, actor, dataset.id, detector.id)
        path = context.storage.path(model.blob_key)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        payload = tasks.prepare(session, session.get_one(Job, third.job_id), context)
    with pytest.raises(BadBundle):
        work.run(payload, _ignore)
    path.write_bytes(Fitted().fit([[float(i), i % 3] for i in range(20)]).to_bytes())
    with pytest.raises(BadBundle, match="sign"):
        work.run(payload, _ignore)


def test_training(database: Database, context: Context, actor: User, store: Store) -> None:
    """Each training is the next version; a failed one leaves the version before in use."""
    dataset = store()
    with database.session() as session:
        detector = detectors.create(session, actor, "d")
    for version in (1, 2):
        with database.session() as session:
            job = detectors.start_training(session, actor, detector.id, dataset.id)
            payload = training.prepare(session, job, context)
        outcome = training_work.run(payload, _ignore)
        with database.session() as session:
            training.finish(session, session.get_one(Job, job.id), outcome, context)
            found = detectors.get(session, actor, detector.id)
            model = detectors.model_of(session, found)
            assert model is not None
            assert (found.status, model.version) == ("trained", version)
    with database.session() as session:
        job = detectors.start_training(session, actor, detector.id, dataset.id)
    with database.session() as session:
        training.fail(session, session.get_one(Job, job.id), "killed", "out", context)
    with database.session() as session:
        found = detectors.get(session, actor, detector.id)
        assert (found.status, found.error_code, found.model_id) == ("failed", "killed", model.id)
        assert service.start(session, actor, dataset.id, detector.id).model_id == model.id
        renamed = detectors.update(session, actor, detector.id, "new", "auto")
        assert (renamed.name, renamed.model_id) == ("new", model.id)
        changed = detectors.update(session, actor, detector.id, "new", "auto", seed=1)
        assert (changed.status, changed.model_id, changed.error_code) == ("untrained", None, None)
        assert detectors.model_of(session, changed) is None
        assert detectors.list_page(session, actor) == ([changed], None)


@pytest.mark.parametrize(("code", "status"), [("killed", "failed"), ("cancelled", "cancelled")])
def test_a_detection_that_ends_badly(
    database: Database, context: Context, actor: User, store: Store, code: str, status: str
) -> None:
    """It says why, and so does the detector that it was to train; nothing can be read of it."""
    dataset = store()
    with database.session() as session:
        detector = detectors.create(session, actor, "d")
        detection = service.start(session, actor, dataset.id, detector.id)
    with database.session() as session:
        asked = service.cancel(session, actor, detection.id)
        assert asked.job is not None
        assert asked.job.cancel_requested
        tasks.fail(session, session.get_one(Job, detection.job_id), code, "so", context)
    with database.session() as session:
        found = service.get(session, actor, detection.id)
        assert (found.status, found.error_code, found.error_detail) == (status, code, "so")
        assert found.finished_at is not None
        failed = session.get_one(Detector, detector.id)
        assert (failed.status, failed.error_code) == ("failed", code)
        for read in (service.rows, lambda *given: service.export(*given, "csv")):
            with pytest.raises(NotReady, match=f"it is {status}"):
                read(session, actor, context.storage, detection.id)


def test_jobs_whose_subject_is_gone(database: Database, context: Context, actor: User, store: Store) -> None:
    """They fail, and failing them harms nothing."""
    dataset = store()
    with database.session() as session:
        orphan = Job(id="j", kind="x", subject_id="gone", payload={"dataset_id": "gone"})
        for module in (tasks, training):
            module.fail(session, orphan, "x", "y", context)
            with pytest.raises(NotFound, match="is gone"):
                module.prepare(session, orphan, context)
        detector = detectors.create(session, actor, "d")
        orphan.subject_id = detector.id
        with pytest.raises(NotFound, match="dataset is gone"):
            training.prepare(session, orphan, context)
        detection = service.start(session, actor, dataset.id)
        job = session.get_one(Job, detection.job_id)
        detection.model_id = "gone"
        with session.no_autoflush, pytest.raises(NotFound, match="model is gone"):
            tasks.prepare(session, job, context)
        detection.model_id = None
        session.get_one(Dataset, dataset.id).blob_key = None
        with pytest.raises(NotFound, match="dataset is gone"):
            tasks.prepare(session, job, context)


def test_what_is_refused_at_once(database: Database, actor: User, store: Store) -> None:
    """Before any job is made."""
    dataset, single = store(), store(b"a,b\n1.5,2\n", None)
    constant = store(b"a,b\n1,2\n1,2\n1,2\n", None)
    refused: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (SchemaMismatch, dataset.id, {"columns": ["a", "nope"]}),
        (SchemaMismatch, dataset.id, {"columns": ["y"]}),
        (TooFewRows, single.id, {}),
        (NoUsableColumns, constant.id, {}),
        (BadParameter, dataset.id, {"contamination": 0.6}),
        (BadValue, dataset.id, {"columns": []}),
        (NotFound, "nope", {}),
        (NotFound, dataset.id, {"detector_id": "nope"}),
        (BadValue, dataset.id, {"detector_id": "nope", "seed": 1}),
    ]
    for error, dataset_id, more in refused:
        with pytest.raises(error), database.session() as session:
            service.start(session, actor, dataset_id, **more)
    with database.session() as session:
        assert service.list_page(session, actor) == ([], None)
        viewer = User(id=actor.id, role="viewer")
        for act in (
            lambda: service.start(session, viewer, dataset.id),
            lambda: service.cancel(session, viewer, "x"),
            lambda: detectors.create(session, viewer, "d"),
            lambda: detectors.update(session, viewer, "x", "d", "isolation_forest"),
            lambda: detectors.start_training(session, viewer, "x", dataset.id),
        ):
            with pytest.raises(Forbidden):
                act()


def test_a_trained_detector_and_a_table_that_lacks_its_columns(
    database: Database, context: Context, actor: User, store: Store
) -> None:
    """The missing columns are named at once."""
    dataset, other = store(), store(b"a,z\n" + b"1.5,2\n2.5,3\n" * 9, None)
    with database.session() as session:
        detector = detectors.create(session, actor, "d", columns=["a", "b"])
        detection = service.start(session, actor, dataset.id, detector.id)
    perform(database, context, detection)
    with pytest.raises(SchemaMismatch, match="has no column 'b'"), database.session() as session:
        service.start(session, actor, other.id, detector.id)


def test_running_is_told_by_the_job(database: Database, actor: User, store: Store) -> None:
    """Once a worker has claimed it."""
    dataset = store()
    with database.session() as session:
        detection = service.start(session, actor, dataset.id)
        job = session.get_one(Job, detection.job_id)
        job.status, job.progress = "running", 0.25
    with database.session() as session:
        found = service.get(session, actor, detection.id)
        assert (found.status, found.progress) == ("running", 0.25)
        found.job = None
        assert (found.status, found.progress) == ("queued", 0.0)


def test_two_trainings_that_begin_together(database: Database, actor: User, store: Store) -> None:
    """The second one waits for the first one's transaction, and then sees that it is too late."""
    dataset = store()
    with database.session() as session:
        detector = detectors.create(session, actor, "d")

    def start() -> None:
        with database.session() as session:
            detectors.start_training(session, actor, detector.id, dataset.id)

    with ThreadPoolExecutor(1) as pool:
        with database.session() as session:
            detectors.start_training(session, actor, detector.id, dataset.id)
            second = pool.submit(start)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.4)
        with pytest.raises(NotReady):
            second.result(timeout=20)


def _ignore(*_: Any) -> None:
    """Nobody asks how far it is."""
