"""Detectors: define them, change them, train them on a dataset."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Unpack

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from pynomaly.detection import catalogue
from pynomaly.detection.choice import WAYS, Choice, Ways
from pynomaly.errors import BadValue, NotReady
from pynomaly.server import paging
from pynomaly.server.access import Need, find, require, visible
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.checks import check_description
from pynomaly.server.db import new_id
from pynomaly.server.detectors.models import Activation, Detector, DetectorStatus, Model
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.queue import enqueue
from pynomaly.server.names import check_column, check_name
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User

TRAIN = "detector.train"
WITH_JOB = joinedload(Detector.job)
SORTS = paging.Sorts(
    Detector.id,
    {"created_at": Detector.created_at, "updated_at": Detector.updated_at, "name": Detector.name},
)


def create(
    session: Session,
    actor: User,
    name: str,
    algorithm: str = catalogue.DEFAULT,
    parameters: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    seed: int = 0,
    description: str = "",
    **ways: Unpack[Ways],
) -> Detector:
    """Define a detector; it is `untrained`.

    Raises:
        UnknownAlgorithm, BadParameter, MissingExtra: as the catalogue says.
        BadValue: the name or a column cannot be stored.
        Forbidden: the actor may only look.
    """
    require(actor, "detectors:write")
    recipe = check_recipe(algorithm, parameters, columns, seed, ways)
    told = {"name": check_name(name), "description": check_description(description)}
    detector = Detector(id=new_id(), owner_id=actor.id, status="untrained", **told, **recipe)
    session.add(detector)
    session.flush()
    return detector


def check_recipe(
    algorithm: str,
    parameters: Mapping[str, Any] | None,
    columns: Sequence[str] | None,
    seed: int,
    ways: Mapping[str, Any],
) -> dict[str, Any]:
    """Check what makes a detector; return it whole, defaults filled in, by the table's column names.

    Raises UnknownAlgorithm, BadParameter or MissingExtra, as the catalogue says, or BadValue.
    """
    checked = catalogue.check_parameters(algorithm, parameters or {})
    catalogue.require(algorithm, checked)
    return {
        "algorithm": catalogue.get(algorithm).name,
        "parameters": checked,
        "columns": _check_columns(columns),
        "seed": catalogue.SEED.check(seed),
        **check_ways(ways),
    }


def check_ways(ways: Mapping[str, Any]) -> dict[str, Any]:
    """Check which rows are to be anomalies; return the table's four columns, all None for "auto".

    Raises:
        BadParameter: more than one way is given, or a value is out of its range.
    """
    choice = Choice.of(ways)
    return {way: None if value == "auto" else value for way, value in choice.ways().items()}


class Chosen(Protocol):
    """What has a threshold; a row of detectors or of detections."""

    contamination: Any
    max_alerts: Any
    fdr: Any
    quantile: Any


class Ruled(Chosen, Protocol):
    """The same, where a score may have been chosen instead."""

    @property
    def threshold_by_hand(self) -> bool:
        """Whether it was."""


def ways(row: Chosen) -> dict[str, Any]:
    """Give the four columns as the library says them: "auto" when all are empty."""
    return Choice.of({way: getattr(row, way) for way in WAYS}).ways()


def told_ways(row: Ruled) -> dict[str, Any]:
    """Give the four as they count: none of them where a score was chosen by hand."""
    return dict.fromkeys(WAYS) if row.threshold_by_hand else ways(row)


def _check_columns(columns: Sequence[str] | None) -> list[str] | None:
    if columns is None:
        return None
    names = [check_column(name, "columns") for name in columns]
    if not names or len(set(names)) < len(names):
        raise BadValue("columns names at least one column, and each once.", pointer="#/columns")
    return names


def update(
    session: Session,
    actor: User,
    id_: str,
    name: str,
    algorithm: str,
    parameters: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    seed: int = 0,
    description: str = "",
    **ways: Unpack[Ways],
) -> Detector:
    """Replace a detector's definition; when more than name and threshold change, it is `untrained` again.

    Raises:
        NotReady: it is being trained; else as `create`.
    """
    require(actor, "detectors:write")
    detector = find(session, actor, Detector, id_, lock=True, need="own")
    recipe = check_recipe(algorithm, parameters, columns, seed, ways)
    detector.name, detector.description = check_name(name), check_description(description)
    redefine(detector, recipe | {"threshold": None})
    session.flush()
    return detector


def redefine(detector: Detector, recipe: Mapping[str, Any]) -> None:
    """Give a detector another recipe; it has to be trained again when more than its threshold changes.

    Raises:
        NotReady: it is being trained.
    """
    changed = [field for field, value in recipe.items() if getattr(detector, field) != value]
    if changed:
        refuse_while_training(detector)
    for field in changed:
        setattr(detector, field, recipe[field])
    if set(changed) - WAYS.keys() - {"threshold"}:
        detector.status, detector.model_id, detector.threshold = "untrained", None, None
        detector.error_code = detector.error_detail = None


def get(session: Session, actor: User, id_: str, *, need: Need = "view", lock: bool = False) -> Detector:
    """Return one detector with its job."""
    return find(session, actor, Detector, id_, WITH_JOB, need=need, lock=lock)


def list_page(
    session: Session,
    actor: User,
    cursor: str | None = None,
    limit: int = 50,
    sort: str = "-created_at",
    *,
    status: DetectorStatus | None = None,
    algorithm: str | None = None,
    name: str | None = None,
) -> tuple[list[Detector], str | None]:
    """List detectors; returns them and the next page's cursor (None: it is the last).

    Only those of a status, of an algorithm, with a text in their name (in any case).
    """
    query = visible(actor, Detector).options(joinedload(Detector.job))
    if status is not None:
        query = query.where(Detector.status == status)
    if algorithm is not None:
        query = query.where(Detector.algorithm == algorithm)
    if name is not None:
        query = query.where(Detector.name.icontains(name, autoescape=True))
    page = paging.page(session, query, SORTS, sort, cursor, limit)
    return page.items, page.next_cursor


def start_training(session: Session, actor: User, id_: str, dataset_id: str) -> Job:
    """Enqueue the job that trains a detector on a dataset; the detector is `training` until then.

    Raises:
        NotReady: the detector is being trained, or the dataset is not ready.
        SchemaMismatch, NoUsableColumns: the dataset does not have what the detector uses.
        Forbidden: the actor may only look.
    """
    require(actor, "detectors:write")
    detector = find(session, actor, Detector, id_, lock=True, need="own")
    dataset = datasets.get_ready(session, actor, dataset_id)
    datasets.check_usable(dataset, detector.columns)
    job = enqueue(session, TRAIN, {"dataset_id": dataset.id}, owner_id=actor.id, subject_id=detector.id)
    mark_training(detector, job)
    session.flush()
    return job


def mark_training(detector: Detector, job: Job) -> None:
    """Note that a job trains the detector; raises NotReady when another one does already."""
    refuse_while_training(detector)
    detector.status, detector.job = "training", job
    detector.error_code = detector.error_detail = None


def refuse_while_training(detector: Detector) -> None:
    """Raise NotReady while a job trains the detector."""
    if detector.status == "training":
        raise NotReady(f"The detector {detector.name!r} is being trained: wait for its job, or cancel that.")


def model_of(session: Session, detector: Detector) -> Model | None:
    """Return the trained version in use, if there is one."""
    return session.get(Model, detector.model_id) if detector.model_id else None


def add_model(
    session: Session,
    storage: LocalStorage,
    temp_path: Path,
    *,
    owner_id: str,
    detector: Detector | None,
    dataset_id: str | None,
    described: Mapping[str, Any],
) -> Model:
    """Keep a trained model's file; a detector's model is its next version, and the one in use from now on.

    `described` holds the model's algorithm, parameters, columns, threshold, contamination, notes, metrics and
    recipe.
    """
    model = Model(id=new_id(), owner_id=owner_id, dataset_id=dataset_id, version=1, **described)
    model.blob_key = f"models/{model.id}.pynomaly"
    storage.adopt(temp_path, model.blob_key)
    if detector is not None:
        query = select(func.coalesce(func.max(Model.version), 0)).where(Model.detector_id == detector.id)
        model.version, model.detector_id = session.scalars(query).one() + 1, detector.id
    session.add(model)
    session.flush()
    if detector is not None:
        put_in_use(session, detector, model)
    return model


def put_in_use(session: Session, detector: Detector, model: Model, user_id: str | None = None) -> None:
    """Make a version the one in use, and note it for rolling back; a score chosen by hand meant another."""
    noted = select(Activation.id).where(Activation.detector_id == detector.id).limit(1)
    if detector.model_id is not None and session.scalars(noted).first() is None:
        earlier = session.get_one(Model, detector.model_id)  # from before activations were noted
        session.add(Activation(detector_id=detector.id, model_id=earlier.id, at=earlier.created_at))
    session.add(Activation(detector_id=detector.id, model_id=model.id, user_id=user_id))
    use(detector, model)
    session.flush()


def use(detector: Detector, model: Model) -> None:
    """Point a detector at a version, with the definition that this was trained by."""
    if detector.model_id != model.id:
        detector.threshold = None
    detector.model_id, detector.status = model.id, "trained"
    detector.error_code = detector.error_detail = None
    detector.algorithm, detector.parameters = model.algorithm, model.parameters
    if model.recipe:
        detector.columns, detector.seed = model.recipe["columns"], model.recipe["seed"]
