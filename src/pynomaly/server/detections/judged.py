"""How good a detector's results are: what labels and people's verdicts tell of them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pynomaly.server.access import visible
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.results import Judged
from pynomaly.server.detections.models import Detection, Feedback
from pynomaly.server.detectors.models import Model
from pynomaly.server.users.models import User

LOOKED_AT = 100
"""Latest results of a detector among which those are looked for."""


def of_detector(session: Session, actor: User, detector_id: str) -> list[Judged]:
    """List those of the detector's latest results that have labels or verdicts, oldest first."""
    query = visible(actor, Detection).where(
        Detection.detector_id == detector_id, Detection.stored_status == "completed"
    )
    latest = (
        query.join(Dataset, Dataset.id == Detection.dataset_id)
        .outerjoin(Model, Model.id == Detection.model_id)
        .with_only_columns(
            Detection.id,
            Detection.name,
            Dataset.name.label("dataset"),
            Detection.created_at,
            Model.version,
            Detection.metrics,
        )
        .order_by(Detection.created_at.desc(), Detection.id)
        .limit(LOOKED_AT)
    )
    rows = session.execute(latest).all()
    said = _verdicts(session, [row.id for row in rows])
    found = [_judged(row, said.get(row.id, {})) for row in reversed(rows)]
    return [one for one in found if one.auc_roc is not None or one.confirmed_share is not None]


def _verdicts(session: Session, ids: Collection[str]) -> dict[str, dict[str, int]]:
    query = select(Feedback.detection_id, Feedback.verdict, func.count())
    grouped = query.where(Feedback.detection_id.in_(ids)).group_by(Feedback.detection_id, Feedback.verdict)
    found: dict[str, dict[str, int]] = {}
    for id_, verdict, count in session.execute(grouped) if ids else ():
        found.setdefault(id_, {})[verdict] = count
    return found


def _judged(row: Any, said: dict[str, int]) -> Judged:
    metrics = row.metrics or {}
    return Judged(
        id=row.id,
        name=row.name or row.dataset,
        at=row.created_at,
        version=row.version,
        auc_roc=metrics.get("auc_roc"),
        average_precision=metrics.get("average_precision"),
        confirmed=said.get("anomaly", 0),
        refuted=said.get("normal", 0),
    )
