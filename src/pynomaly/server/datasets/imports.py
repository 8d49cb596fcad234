"""Say how an uploaded file is to be read: look at its beginning again, or read all of it."""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, NotReady
from pynomaly.server.access import find, require
from pynomaly.server.datasets import service
from pynomaly.server.datasets.checks import ChosenType, check_choice, check_types
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.jobs.queue import enqueue
from pynomaly.server.names import check_column, check_name
from pynomaly.server.users.models import User


class Wishes(TypedDict, total=False):
    """What can be said; what is left out stays as it was said before."""

    name: str
    label_column: str | None
    types: Mapping[str, ChosenType]
    choice: Mapping[str, Any]


def seen(session: Session, actor: User, id_: str) -> Dataset:
    """Return a dataset with what the beginning of its file shows.

    Raises:
        NotReady: nobody has looked yet.
        Conflict: it is being read, or is read already.
    """
    dataset = find(session, actor, Dataset, id_)
    if dataset.status == "uploaded" and dataset.preview is None:
        why = dataset.error_detail or "nobody has looked at it yet: ask again in a moment"
        raise NotReady(f"There is nothing to see of {dataset.name!r}: {why}.", status=dataset.status)
    if dataset.preview is None:
        raise Conflict(f"The dataset {dataset.name!r} is not waiting to be imported: it is {dataset.status}.")
    return dataset


def look(session: Session, actor: User, id_: str, **wishes: Unpack[Wishes]) -> Dataset:
    """Look at the beginning of the file again, read as is said now; raises as `start` does."""
    dataset = _waiting(session, actor, id_, wishes)
    return _enqueue(session, actor, dataset, service.LOOK)


def start(session: Session, actor: User, id_: str, **wishes: Unpack[Wishes]) -> Dataset:
    """Read all of the file (status `processing`); when that fails the file stays, to be read in another way.

    Raises:
        BadValue: a name, column, type or mark cannot be used.
        NotReady: it is being read already.
        Conflict: it is read, or its file was not kept.
        NotFound, Forbidden: the actor may not see, or may not change it.
    """
    dataset = _waiting(session, actor, id_, wishes)
    return _enqueue(session, actor, dataset, service.INGEST)


def _waiting(session: Session, actor: User, id_: str, wishes: Wishes) -> Dataset:
    """Find a dataset that waits to be read, and note what is said of it."""
    require(actor, "datasets:write")
    dataset = service.get(session, actor, id_, need="own", lock=True)
    if dataset.status == "processing":
        raise NotReady(f"The dataset {dataset.name!r} is still being read: wait, or cancel its job.")
    if dataset.status == "ready":
        raise Conflict(f"The dataset {dataset.name!r} is imported already: change its types instead.")
    if dataset.source_key is None:
        raise Conflict(f"The uploaded file of {dataset.name!r} was not kept: upload it again.")
    if "name" in wishes:
        dataset.name = check_name(wishes["name"])
    if "label_column" in wishes:
        label = wishes["label_column"]
        dataset.label_column = check_column(label, "label_column") if label else None
    if "types" in wishes:
        dataset.types = check_types(wishes["types"])
    if "choice" in wishes:
        dataset.choice = check_choice(wishes["choice"])
    return dataset


def _enqueue(session: Session, actor: User, dataset: Dataset, kind: str) -> Dataset:
    job = enqueue(session, kind, {}, owner_id=actor.id, subject_id=dataset.id, priority=1)
    dataset.job, dataset.job_id = job, job.id
    dataset.status = "uploaded" if kind == service.LOOK else "processing"
    dataset.error_code, dataset.error_detail = None, None
    dataset.rejects, dataset.n_rejected = [], 0
    if kind == service.LOOK:
        dataset.preview = None
    session.flush()
    return dataset
