"""How good a detector is over time: its versions on their training labels, its results on theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.server.datasets.results import Judged
from pynomaly.server.detectors.models import Detector, Model

MOST_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class Point:
    """One moment: a version was trained, or a table was judged."""

    at: datetime
    version: int | None
    result_id: str
    """Empty: the version itself, on the rows that it was trained on."""
    name: str
    auc_roc: float | None
    average_precision: float | None
    confirmed: int = 0
    refuted: int = 0
    confirmed_share: float | None = None


def points(session: Session, detector: Detector, results: Sequence[Judged]) -> list[Point]:
    """Put versions with labels and judged results in the order of time."""
    columns = (Model.version, Model.created_at, Model.metrics)
    latest = select(*columns).where(Model.detector_id == detector.id).order_by(Model.version.desc())
    found = [
        Point(at, version, "", "", metrics["auc_roc"], metrics.get("average_precision"))
        for version, at, metrics in session.execute(latest.limit(MOST_VERSIONS))
        if metrics.get("auc_roc") is not None
    ]
    found += [
        Point(
            one.at,
            one.version,
            one.id,
            one.name,
            one.auc_roc,
            one.average_precision,
            one.confirmed,
            one.refuted,
            one.confirmed_share,
        )
        for one in results
    ]
    return sorted(found, key=lambda point: point.at)
