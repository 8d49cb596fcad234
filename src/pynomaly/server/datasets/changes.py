"""Change and delete datasets, as far as what works with them and depends on them allows."""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, NotReady
from pynomaly.server import audit
from pynomaly.server.access import require
from pynomaly.server.blobs import delete_after_commit
from pynomaly.server.datasets import service
from pynomaly.server.datasets.checks import ChosenType, check_description, check_label, check_types
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.results import Results, clear
from pynomaly.server.jobs.models import FINISHED, Job
from pynomaly.server.jobs.queue import enqueue
from pynomaly.server.names import check_name
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User


class Changes(TypedDict, total=False):
    """What can be changed; `types` takes the place of all types that were chosen before."""

    name: str
    description: str
    label_column: str | None
    types: Mapping[str, ChosenType]


def update(
    session: Session,
    actor: User,
    storage: LocalStorage,
    results: Results,
    id_: str,
    *,
    cascade: bool = False,
    **changes: Unpack[Changes],
) -> Dataset:
    """Change a dataset; other column types make a job read the uploaded file again (status `processing`).

    Results name rows by number, so they go when the file is read again, if `cascade` says so.

    Raises:
        BadValue, LabelError: a name, column or type cannot be used.
        NotReady: it is being read, or something works with it.
        Conflict: its file was not kept, or results depend on it.
        NotFound, Forbidden: the actor may not see, or may not change it.
    """
    require(actor, "datasets:write")
    dataset = service.get(session, actor, id_, need="own", lock=True)
    if "name" in changes:
        dataset.name = check_name(changes["name"])
    if "description" in changes:
        dataset.description = check_description(changes["description"])
    if "label_column" in changes and changes["label_column"] != dataset.label_column:
        dataset.label_column = _label(dataset, changes["label_column"])
    if "types" in changes and dict(changes["types"]) != dataset.types:
        _read_again(session, actor, storage, results, dataset, changes["types"], cascade)
    session.flush()
    return dataset


def delete(
    session: Session,
    actor: User,
    storage: LocalStorage,
    results: Results,
    id_: str,
    *,
    cascade: bool = False,
) -> None:
    """Delete a dataset with its files and shares; with `cascade` also all results that depend on it.

    Models that were trained on it stay.

    Raises:
        NotReady: it is being read, or something works with it.
        Conflict: results depend on it.
        NotFound, Forbidden: the actor may not see, or may not delete it.
    """
    require(actor, "datasets:write")
    dataset = service.get(session, actor, id_, need="own", lock=True)
    _refuse_in_use(session, dataset)
    gone = clear(session, storage, results, dataset.name, cascade=cascade, dataset_id=dataset.id)
    audit.record(session, actor, "dataset.delete", dataset, results=gone)
    for key in (dataset.source_key, dataset.blob_key):
        delete_after_commit(session, storage, key)
    session.delete(dataset)
    session.flush()


def _label(dataset: Dataset, name: str | None) -> str | None:
    if dataset.status != "ready":
        raise NotReady(f"The dataset {dataset.name!r} has no columns: it is {dataset.status}.")
    return None if name is None else check_label(name, dataset.columns, dataset.profile)


def _read_again(
    session: Session,
    actor: User,
    storage: LocalStorage,
    results: Results,
    dataset: Dataset,
    types: Mapping[str, Any],
    cascade: bool,
) -> None:
    """Enqueue the job that reads the uploaded file with other types; they count once it succeeds."""
    if dataset.status == "failed":
        raise NotReady(f"The dataset {dataset.name!r} could not be read: import it again, with its types.")
    if dataset.status == "uploaded":
        raise NotReady(f"The dataset {dataset.name!r} is not imported yet: import it with its types.")
    _refuse_in_use(session, dataset)
    checked = check_types(types, dataset.columns)
    if dataset.source_key is None:
        raise Conflict(
            f"The uploaded file of {dataset.name!r} was not kept when it was read: upload it again, with its "
            "types."
        )
    gone = clear(session, storage, results, dataset.name, cascade=cascade, dataset_id=dataset.id)
    if gone:
        audit.record(session, actor, "dataset.delete_results", dataset, results=gone)
    payload = {"types": checked}
    dataset.job = enqueue(
        session, service.INGEST, payload, owner_id=actor.id, subject_id=dataset.id, priority=1
    )
    dataset.status, dataset.error_code, dataset.error_detail = "processing", None, None


def _refuse_in_use(session: Session, dataset: Dataset) -> None:
    """Raise NotReady while a job reads the dataset or trains on it."""
    if dataset.status == "processing":
        raise NotReady(f"The dataset {dataset.name!r} is still being read: wait, or cancel its job.")
    at_work = session.scalars(select(Job.payload).where(Job.status.not_in(FINISHED)))
    if count := sum(payload.get("dataset_id") == dataset.id for payload in at_work):
        jobs = "1 job works" if count == 1 else f"{count} jobs work"
        raise NotReady(f"{jobs} with {dataset.name!r}: wait, or cancel first.", jobs=count)
