"""Detections as lines of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pynomaly.detection import catalogue
from pynomaly.server.detections.models import Detection, DetectionStatus


@dataclass(frozen=True)
class Line:
    """One detection in a list."""

    id: str
    dataset_name: str
    algorithm: str
    status: DetectionStatus
    n_anomalies: int | None
    n_rows: int | None
    created_at: datetime


def lines(found: Sequence[Detection]) -> list[Line]:
    """Prepare detections for a list."""
    return [
        Line(
            d.id,
            d.dataset.name,
            catalogue.get(d.algorithm).title,
            d.status,
            d.n_anomalies,
            d.n_rows,
            d.created_at,
        )
        for d in found
    ]
