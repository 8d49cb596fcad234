"""What was made of a dataset: detectors that were trained on it, and results."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pynomaly.server.access import visible
from pynomaly.server.datasets.results import Lineage, Made, Trained
from pynomaly.server.detections.models import Detection
from pynomaly.server.detectors.models import Detector, Model
from pynomaly.server.users.models import User

SHOWN = 50


def lineage(session: Session, actor: User, dataset_id: str) -> Lineage:
    """Tell what was made of a dataset, of what the actor sees: the newest of each, and how many in all."""
    trained = (
        select(
            Model.detector_id,
            func.max(Model.version).label("version"),
            func.max(Model.created_at).label("at"),
        )
        .where(Model.dataset_id == dataset_id, Model.detector_id.is_not(None))
        .group_by(Model.detector_id)
        .subquery()
    )
    detectors = visible(actor, Detector).join(trained, trained.c.detector_id == Detector.id)
    columns = (Detector.id, Detector.name, Detector.algorithm, trained.c.version, trained.c.at)
    found = session.execute(
        detectors.with_only_columns(*columns).order_by(trained.c.at.desc(), Detector.id).limit(SHOWN)
    )
    results = visible(actor, Detection).where(Detection.dataset_id == dataset_id)
    newest = results.order_by(Detection.created_at.desc(), Detection.id).limit(SHOWN)
    made = [
        Made(one.id, one.name, one.algorithm, one.stored_status, one.n_anomalies, one.created_at)
        for one in session.scalars(newest)
    ]
    return Lineage(
        detectors=[Trained(*row) for row in found],
        n_detectors=session.scalars(select(func.count()).select_from(detectors.subquery())).one(),
        results=made,
        n_results=session.scalars(select(func.count()).select_from(results.subquery())).one(),
    )
