"""Many datasets, many detectors: one job whose children run each detector on each dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

from sqlalchemy.orm import Session

from pynomaly.detection.choice import Ways
from pynomaly.errors import BadValue, InputError, NotReady
from pynomaly.server.access import find, require
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detections import service
from pynomaly.server.detectors.models import Detector
from pynomaly.server.detectors.service import check_ways
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job
from pynomaly.server.users.models import User

BATCH = "detection.batch"
MOST_PAIRS = 500


@dataclass(frozen=True, slots=True)
class Pair:
    """One dataset and one detector: their result and its job, or why there is none."""

    dataset_id: str
    detector_id: str
    id: str | None = None
    job_id: str | None = None
    error_code: str | None = None
    error_detail: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The job of it all, and the pairs."""

    job: Job
    pairs: list[Pair]


def start(
    session: Session,
    actor: User,
    dataset_ids: Sequence[str],
    detector_ids: Sequence[str],
    **ways: Unpack[Ways],
) -> Batch:
    """Enqueue a detection for each pair; one that does not fit is told in its place and keeps none back.

    Raises:
        BadValue: there are too many pairs, or an id is given twice.
        NotFound, NotReady: of a dataset or a detector, which must be trained.
        InputError: no pair fits.
        Forbidden: the actor may only look.
    """
    require(actor, "detections:write")
    _check(dataset_ids, detector_ids)
    check_ways(ways)
    tables = [datasets.get_ready(session, actor, id_) for id_ in dataset_ids]
    detectors = [_trained(session, actor, place, id_) for place, id_ in enumerate(detector_ids)]
    parent = queue.prepare(session, BATCH, {}, owner_id=actor.id, subject_id=None)
    pairs = [
        _pair(session, actor, table, detector, ways, parent.id) for table in tables for detector in detectors
    ]
    if all(pair.job_id is None for pair in pairs):
        raise InputError(f"No detector fits any of the datasets; the first: {pairs[0].error_detail}")
    session.flush()
    return Batch(parent, pairs)


def _check(dataset_ids: Sequence[str], detector_ids: Sequence[str]) -> None:
    for name, ids in (("dataset_ids", dataset_ids), ("detector_ids", detector_ids)):
        if len(set(ids)) < len(ids):
            raise BadValue(f"{name} names one twice.", pointer=f"#/{name}")
    if (count := len(dataset_ids) * len(detector_ids)) > MOST_PAIRS:
        raise BadValue(f"That makes {count:,} pairs; at most {MOST_PAIRS} run as one batch.")


def _trained(session: Session, actor: User, place: int, id_: str) -> Detector:
    detector = find(session, actor, Detector, id_, need="use")
    if detector.model_id is None:
        raise NotReady(
            f"The detector {detector.name!r} is not trained: train it first.",
            pointer=f"#/detector_ids/{place}",
        )
    return detector


def _pair(
    session: Session, actor: User, dataset: Dataset, detector: Detector, ways: Ways, parent_id: str
) -> Pair:
    try:
        with session.no_autoflush:
            detection = service.with_detector(session, actor, dataset, detector, ways)
    except InputError as error:
        return Pair(dataset.id, detector.id, error_code=error.code, error_detail=error.message)
    session.add(detection)
    detection.job = service.job_of(session, detection, parent_id)
    return Pair(dataset.id, detector.id, detection.id, detection.job.id)
