"""Which results a list shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, or_, select

from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detections.models import Detection, DetectionStatus
from pynomaly.server.jobs.models import Job


@dataclass(frozen=True, slots=True)
class Filters:
    """What is not None must be so; `batch_id` is the job that the results' jobs are a part of."""

    status: DetectionStatus | None = None
    dataset_id: str | None = None
    detector_id: str | None = None
    algorithm: str | None = None
    batch_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    name: str | None = None
    """A text in the name of the result or of its dataset, in any case."""

    def applied(self, query: Select[Any]) -> Select[Any]:
        """Narrow a query of detections down."""
        for name in ("dataset_id", "detector_id", "algorithm"):
            if (wanted := getattr(self, name)) is not None:
                query = query.where(getattr(Detection, name) == wanted)
        if self.status is not None:
            query = query.where(_is(self.status))
        if self.batch_id is not None:
            query = query.where(Detection.job_id.in_(select(Job.id).where(Job.parent_id == self.batch_id)))
        if self.since is not None:
            query = query.where(Detection.created_at >= self.since)
        if self.until is not None:
            query = query.where(Detection.created_at < self.until)
        if self.name is not None:
            datasets = select(Dataset.id).where(Dataset.name.icontains(self.name, autoescape=True))
            named = Detection.name.icontains(self.name, autoescape=True)
            query = query.where(or_(named, Detection.dataset_id.in_(datasets)))
        return query


ANY = Filters()


def _is(status: DetectionStatus) -> ColumnElement[bool]:
    """As `Detection.status` has it: the job alone knows that it was picked up."""
    if status not in ("queued", "running"):
        return Detection.stored_status == status
    picked_up = exists().where(Job.id == Detection.job_id, Job.status == "running")
    return (Detection.stored_status == "queued") & (picked_up if status == "running" else ~picked_up)
