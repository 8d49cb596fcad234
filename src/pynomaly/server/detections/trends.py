"""What results took and found over time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pynomaly.server.access import visible
from pynomaly.server.detections.filters import Filters
from pynomaly.server.detections.models import Detection
from pynomaly.server.users.models import User

MOST = 60


@dataclass(frozen=True, slots=True)
class Point:
    """One completed result."""

    id: str
    algorithm: str
    created_at: datetime
    seconds: float | None
    peak_mib: float | None
    share: float
    """Of the rows, how many are anomalies."""


def of(session: Session, actor: User, filters: Filters) -> list[Point]:
    """Give the newest completed results among those that the filters leave, the oldest of them first."""
    completed = filters.applied(visible(actor, Detection)).where(Detection.stored_status == "completed")
    newest = completed.order_by(Detection.created_at.desc(), Detection.id.desc()).limit(MOST)
    figures = newest.with_only_columns(
        Detection.id,
        Detection.algorithm,
        Detection.created_at,
        Detection.seconds,
        Detection.peak_mib,
        Detection.n_anomalies,
        Detection.n_rows,
    )
    found = session.execute(figures).all()
    return [
        Point(id_, algorithm, created_at, seconds, peak_mib, (n_anomalies or 0) / (n_rows or 1))
        for id_, algorithm, created_at, seconds, peak_mib, n_anomalies, n_rows in reversed(found)
    ]
