"""Detections: start one, follow it, read and export its rows, cancel it."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from sqlalchemy import func
from sqlalchemy.orm import Session, joinedload

from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.detection.choice import WAYS, Ways
from pynomaly.errors import BadValue, NotReady, SchemaMismatch
from pynomaly.server import paging
from pynomaly.server.access import find, require, visible
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import new_id
from pynomaly.server.detections import feedback
from pynomaly.server.detections.export import Format, in_a_process
from pynomaly.server.detections.filters import ANY, Filters
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.result import ResultRow
from pynomaly.server.detections.rows import page, ranked, select
from pynomaly.server.detections.search import Selection
from pynomaly.server.detections.view import View
from pynomaly.server.detectors import service as detectors
from pynomaly.server.detectors.models import Detector
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job
from pynomaly.server.positions import check_limit
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

DETECT = "detection.run"
WITH_ALL = tuple(map(joinedload, (Detection.job, Detection.dataset, Detection.detector)))
SORTS = paging.Sorts(
    Detection.id,
    {
        "created_at": Detection.created_at,
        "n_rows": func.coalesce(Detection.n_rows, 0),
        "n_anomalies": func.coalesce(Detection.n_anomalies, 0),
        "seconds": func.coalesce(Detection.seconds, 0.0),
    },
)
DEFAULT_ALGORITHM = next(iter(CATALOGUE))
EVERYTHING = View()


@dataclass(frozen=True, slots=True)
class Export:
    """What to export, looked up; `write` needs no transaction."""

    chosen: Selection
    form: Format
    filename: str
    feedback: list[tuple[int, str, str]]

    @property
    def media_type(self) -> str:
        """What HTTP calls the format."""
        return MEDIA_TYPES[self.form]

    def write(self, storage: LocalStorage, settings: Settings) -> Path:
        """Write the rows to a temporary file; whoever takes it deletes it.

        Raises:
            TableTooLarge: that needs more memory or disk than a job may use.
        """
        folder, target = storage.temp(), storage.temp(f".{self.form}")
        folder.mkdir()
        try:
            in_a_process(
                self.chosen,
                folder / target.name,
                self.form,
                feedback=self.feedback,
                memory_mib=settings.job_memory_mib // 2,
                timeout_seconds=settings.job_timeout_seconds,
            )
            return (folder / target.name).replace(target)
        finally:
            shutil.rmtree(folder)


MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}


def start(
    session: Session,
    actor: User,
    dataset_id: str,
    detector_id: str | None = None,
    algorithm: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    columns: Sequence[str] | None = None,
    **ways: Unpack[Ways],
) -> Detection:
    """Enqueue the job that finds the anomalies of a dataset, with a detector or else with an algorithm.

    A detector that is not trained yet is trained on that dataset first. Of a detector only the threshold can
    be chosen otherwise, by `ways`, for this detection alone. With neither, the catalogue's first
    algorithm runs with its defaults.

    Raises:
        NotReady: the dataset is not ready, or the detector is being trained.
        SchemaMismatch, NoUsableColumns: the dataset does not have what the detector uses.
        UnknownAlgorithm, BadParameter, MissingExtra: as the catalogue says.
        BadValue: a detector and an algorithm were given.
        Forbidden: the actor may only look.
    """
    require(actor, "detections:write")
    if detector_id is not None and _given(algorithm, parameters, seed or None, columns):
        raise BadValue("Give a detector or an algorithm with parameters, not both.", pointer="#/detector_id")
    detector = _detector(session, actor, detector_id) if detector_id is not None else None
    dataset = datasets.get_ready(session, actor, dataset_id)
    if detector is not None:
        detection = with_detector(session, actor, dataset, detector, ways)
    else:
        chosen = DEFAULT_ALGORITHM if algorithm is None else algorithm
        detection = Detection(id=new_id(), owner_id=actor.id, dataset=dataset)
        _fill(detection, detectors.check_recipe(chosen, parameters, columns, seed, ways))
        datasets.check_usable(dataset, detection.columns)
    session.add(detection)
    job = detection.job = job_of(session, detection)
    session.flush()
    if detector is not None and detection.model_id is None:
        detectors.mark_training(detector, job)
        session.flush()
    return detection


def with_detector(
    session: Session, actor: User, dataset: Dataset, detector: Detector, ways: Mapping[str, Any]
) -> Detection:
    """Make a detection of a dataset with a detector; the threshold is the detector's, or as `ways` say.

    Raises:
        SchemaMismatch, NoUsableColumns: the dataset does not have what the detector uses.
        BadParameter: `ways` cannot be used.
    """
    detection = Detection(id=new_id(), owner_id=actor.id, dataset=dataset, detector=detector)
    _use_detector(session, detection, detector, dataset)
    if _given(*ways.values()):
        _fill(detection, detectors.check_ways(ways) | {"threshold": None})
    detection.threshold_by_hand = detection.threshold is not None
    return detection


def job_of(session: Session, detection: Detection, parent_id: str | None = None) -> Job:
    """Make the job that carries a detection out; it waits from the next flush on."""
    return queue.prepare(
        session, DETECT, {}, owner_id=detection.owner_id, subject_id=detection.id, parent_id=parent_id
    )


def _detector(session: Session, actor: User, id_: str) -> Detector:
    """The detector to run; training it, if it is untrained, is for its owner."""
    detector = find(session, actor, Detector, id_, lock=True, need="use")
    if detector.model_id is None:
        find(session, actor, Detector, id_, need="own")
    return detector


def _given(*options: object) -> bool:
    return any(option is not None for option in options)


def _use_detector(session: Session, detection: Detection, detector: Detector, dataset: Dataset) -> None:
    """Take the recipe over from the detector, and its model when it has one that fits the dataset."""
    fields = ("algorithm", "parameters", "columns", "seed", "threshold", *WAYS)
    _fill(detection, {field: getattr(detector, field) for field in fields})
    model = detectors.model_of(session, detector)
    if model is None:
        datasets.check_usable(dataset, detector.columns)
        return
    detection.model_id = model.id
    present = {column["name"] for column in dataset.columns}
    if missing := [column["name"] for column in model.columns if column["name"] not in present]:
        listed = ", ".join(map(repr, missing[:10]))
        raise SchemaMismatch(
            f"The detector {detector.name!r} was trained on other columns: "
            f"the dataset {dataset.name!r} has no column {listed}.",
            missing=missing,
        )


def _fill(detection: Detection, recipe: Mapping[str, Any]) -> None:
    for field, value in recipe.items():
        setattr(detection, field, value)


def get(session: Session, actor: User, id_: str) -> Detection:
    """Return one detection with its job, dataset and detector."""
    return find(session, actor, Detection, id_, *WITH_ALL)


def list_page(
    session: Session,
    actor: User,
    cursor: str | None = None,
    limit: int = 50,
    sort: str = "-created_at",
    filters: Filters = ANY,
) -> tuple[list[Detection], str | None]:
    """List detections, newest first; returns them and the next page's cursor (None: it is the last)."""
    query = filters.applied(visible(actor, Detection)).options(
        joinedload(Detection.job),
        joinedload(Detection.dataset).defer(Dataset.columns),  # there may be thousands, and nobody looks
        joinedload(Detection.detector),
    )
    page = paging.page(session, query, SORTS, sort, cursor, limit)
    return page.items, page.next_cursor


def cancel(session: Session, actor: User, id_: str) -> Detection:
    """Ask for a detection to be stopped; one that has ended stays as it is."""
    require(actor, "detections:write")
    detection = get(session, actor, id_)
    if detection.job is not None:
        queue.cancel(session, detection.job)
    return detection


def rows(
    session: Session,
    actor: User,
    storage: LocalStorage,
    id_: str,
    view: View = EVERYTHING,
    limit: int = 50,
    cursor: str | None = None,
) -> tuple[list[ResultRow], str | None]:
    """Read one page of the result by a view: its filters and its sort.

    Returns the rows and the cursor of the next page (None: this is the last).

    Raises:
        NotReady: the detection is not completed.
        BadValue, BadCursor: the view makes no sense for this result, or the cursor is not one of this list's.
    """
    limit = check_limit(limit)
    return page(selected(session, completed(session, actor, id_), storage, view), view, cursor, limit)


def selected(
    session: Session, detection: Detection, storage: LocalStorage, view: View, n_anomalies: int | None = None
) -> Selection:
    """Plan a view of a completed detection; `n_anomalies`: as if so many rows were anomalies."""
    return select(session, detection, ranked(detection, storage, n_anomalies), view)


def export(
    session: Session, actor: User, storage: LocalStorage, id_: str, form: Format, view: View = EVERYTHING
) -> Export:
    """Look up what an export of a result needs, all rows or those of a view; its `write` makes the file.

    Raises:
        NotReady: the detection is not completed.
        BadValue: the view makes no sense for this result.
    """
    detection = completed(session, actor, id_)
    stem = re.sub(r'[\\/:*?"<>|]+', "-", detection.dataset.name)
    said = feedback.latest(session, detection)
    chosen = selected(session, detection, storage, view)
    return Export(chosen, form, f"{stem} anomalies.{form}", said)


def completed(session: Session, actor: User, id_: str) -> Detection:
    """Return one detection that has a result; raises NotReady when it has none."""
    detection = get(session, actor, id_)
    if detection.status != "completed":
        raise NotReady(f"The detection has no result: it is {detection.status}.", status=detection.status)
    return detection
