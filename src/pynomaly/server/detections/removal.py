"""Delete detections with their files, as those who delete a dataset or a detector ask for it."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from pynomaly.server.blobs import delete_after_commit
from pynomaly.server.datasets.results import Judged, Lineage
from pynomaly.server.detections import judged
from pynomaly.server.detections.lineage import lineage
from pynomaly.server.detections.models import Detection
from pynomaly.server.detectors.models import Model
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User


class AllResults:
    """What `datasets.results.Results` asks for."""

    def count(
        self, session: Session, *, dataset_id: str | None = None, detector_id: str | None = None
    ) -> int:
        """Count the results of a dataset or of a detector."""
        query = select(func.count()).select_from(Detection).where(_of(dataset_id, detector_id))
        return session.scalars(query).one()

    def count_running(
        self, session: Session, *, dataset_id: str | None = None, detector_id: str | None = None
    ) -> int:
        """Count those whose job is not done."""
        waiting = Detection.stored_status.in_(("queued", "running"))
        query = select(func.count()).select_from(Detection).where(_of(dataset_id, detector_id), waiting)
        return session.scalars(query).one()

    def judged(self, session: Session, actor: User, detector_id: str) -> list[Judged]:
        """A detector's latest results with labels or verdicts, oldest first."""
        return judged.of_detector(session, actor, detector_id)

    def lineage(self, session: Session, actor: User, dataset_id: str) -> Lineage:
        """Tell what was made of a dataset, of what the actor sees."""
        return lineage(session, actor, dataset_id)

    def delete(
        self,
        session: Session,
        storage: LocalStorage,
        *,
        dataset_id: str | None = None,
        detector_id: str | None = None,
    ) -> None:
        """Delete them all."""
        for detection in session.scalars(select(Detection).where(_of(dataset_id, detector_id))):
            delete(session, storage, detection)
        session.flush()


def delete(session: Session, storage: LocalStorage, detection: Detection) -> None:
    """Delete a detection with its result and, when it was trained for this detection alone, its model."""
    delete_after_commit(session, storage, detection.blob_key)
    model = session.get(Model, detection.model_id) if detection.model_id is not None else None
    session.delete(detection)
    session.flush()
    if model is not None and model.detector_id is None:
        delete_after_commit(session, storage, model.blob_key)
        session.delete(model)
        session.flush()


def _of(dataset_id: str | None, detector_id: str | None) -> ColumnElement[bool]:
    if dataset_id is not None:
        return Detection.dataset_id == dataset_id
    return Detection.detector_id == detector_id
