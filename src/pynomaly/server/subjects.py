"""What jobs work on: its name and its page, for whoever shows jobs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.server.access import visible
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.tasks import TASK as INGEST
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.tasks import TASK as DETECT
from pynomaly.server.detectors.models import Detector
from pynomaly.server.detectors.tasks import TASK as TRAIN
from pynomaly.server.jobs.models import Job
from pynomaly.server.users.models import User

KINDS: dict[str, tuple[str, Any]] = {
    INGEST.kind: ("datasets", Dataset),
    TRAIN.kind: ("detectors", Detector),
    DETECT.kind: ("detections", Detection),
}
"""Kind of job -> the folder of its subject's page, and its table."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A dataset, detector or result."""

    name: str
    address: str


def of_jobs(session: Session, actor: User, jobs: Iterable[Job]) -> dict[str, Subject]:
    """Find what jobs work on, by job id; what is gone or not the actor's to see is left out.

    One query for each kind, however many jobs there are.
    """
    found: dict[str, Subject] = {}
    wanted: dict[str, dict[str, str]] = {}
    for job in jobs:
        if job.kind in KINDS and job.subject_id is not None:
            wanted.setdefault(job.kind, {})[job.id] = job.subject_id
    for kind, subjects in wanted.items():
        folder, table = KINDS[kind]
        names = _names(session, actor, table, set(subjects.values()))
        for job_id, subject_id in subjects.items():
            if subject_id in names:
                found[job_id] = Subject(names[subject_id], f"/{folder}/{subject_id}")
    return found


def _names(session: Session, actor: User, table: Any, ids: set[str]) -> dict[str, str]:
    query = visible(actor, table).where(table.id.in_(ids))
    if table is Detection:  # a result without a name is called as its dataset is
        query = query.join(Dataset, Dataset.id == Detection.dataset_id)
        named = query.with_only_columns(Detection.id, Detection.name, Dataset.name)
        return {id_: name or dataset for id_, name, dataset in session.execute(named)}
    return dict(session.execute(query.with_only_columns(table.id, table.name)).all())


def owners(session: Session, jobs: Iterable[Job]) -> dict[str, str]:
    """E-mail addresses of the people that jobs belong to, by account."""
    ids = {job.owner_id for job in jobs if job.owner_id is not None}
    query = select(User.id, User.email).where(User.id.in_(ids))
    return dict(session.execute(query).all()) if ids else {}
