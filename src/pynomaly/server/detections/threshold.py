"""Move the threshold of a result: rows above another score count as anomalies, without training or scoring.

The result's file stays as it is. Its rows are ranked by score, so the anomalies are the first `n_anomalies`
ranks; everybody who reads rows goes by that number.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from pynomaly.errors import BadValue, NotReady
from pynomaly.server import audit
from pynomaly.server.access import find
from pynomaly.server.detections.models import Detection
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.tables.engine import literal, reading
from pynomaly.tables.paging import LIMITS
from pynomaly.tables.paging import cursor as small_database


@dataclass(frozen=True, slots=True)
class Cut:
    """A score and what it flags; `run_threshold` is the score that the run used."""

    threshold: float
    n_anomalies: int
    n_rows: int
    run_threshold: float

    @property
    def moved(self) -> bool:
        """Whether it is another one than that of the run."""
        return self.threshold != self.run_threshold


def look(
    session: Session,
    actor: User,
    storage: LocalStorage,
    id_: str,
    *,
    threshold: float | None = None,
    max_alerts: int | None = None,
) -> Cut:
    """Tell what a threshold flags: a score, or that which flags at most so many rows; else the present one.

    Raises:
        NotReady: the result is not completed.
        BadValue: both are given, or the score is no number.
    """
    return preview(find(session, actor, Detection, id_), storage, threshold, max_alerts)


def preview(
    detection: Detection,
    storage: LocalStorage,
    threshold: float | None = None,
    max_alerts: int | None = None,
) -> Cut:
    """Do the same for a result that was looked up."""
    if detection.stored_status != "completed" or detection.threshold is None:
        raise NotReady("The detection has no result yet.", status=detection.stored_status)
    run = detection.threshold if detection.run_threshold is None else detection.run_threshold
    if threshold is None and max_alerts is None:
        return Cut(detection.threshold, detection.n_anomalies or 0, detection.n_rows or 0, run)
    _check(threshold, max_alerts)
    file, n_rows = storage.open_path(str(detection.blob_key)), detection.n_rows or 0
    if threshold is None:
        threshold = _above_at_most(file, n_rows, max_alerts or 0)
    return Cut(threshold, count_above(file, threshold), n_rows, run)


def move(
    session: Session,
    actor: User,
    storage: LocalStorage,
    detection: Detection,
    *,
    threshold: float | None = None,
    max_alerts: int | None = None,
) -> Cut:
    """Move the threshold of a locked result; raises as `look`, and BadValue when nothing is given."""
    if threshold is None and max_alerts is None:
        raise BadValue("Give threshold, a score, or max_alerts, a number of rows.", pointer="#/threshold")
    cut = preview(detection, storage, threshold, max_alerts)
    _keep(session, actor, detection, cut)
    return cut


def reset(session: Session, actor: User, storage: LocalStorage, detection: Detection) -> Cut:
    """Put the threshold of a locked result back to where the run had it; raises NotReady as `look`."""
    cut = preview(detection, storage)
    if cut.moved:
        cut = preview(detection, storage, cut.run_threshold)
        _keep(session, actor, detection, cut)
    return cut


def _keep(session: Session, actor: User, detection: Detection, cut: Cut) -> None:
    detection.threshold, detection.n_anomalies = cut.threshold, cut.n_anomalies
    detection.run_threshold = cut.run_threshold if cut.moved else None
    session.flush()
    told = {"threshold": cut.threshold, "n_anomalies": cut.n_anomalies}
    audit.record(session, actor, "detection.threshold", detection, **told)


def _check(threshold: float | None, max_alerts: int | None) -> None:
    if threshold is not None and max_alerts is not None:
        raise BadValue("Give threshold or max_alerts, not both.", pointer="#/max_alerts")
    if threshold is not None and not math.isfinite(threshold):
        raise BadValue("The threshold is a finite number.", pointer="#/threshold")
    if max_alerts is not None and max_alerts < 0:
        raise BadValue("max_alerts is at least 0.", pointer="#/max_alerts")


def count_above(file: Path, threshold: float) -> int:
    """Count the rows of a result whose score is above a threshold."""
    with small_database() as connection, reading("The result", LIMITS):
        found = connection.execute(
            f"SELECT count(*) FROM read_parquet({literal(str(file))}) WHERE score > ?", [threshold]
        ).fetchone()
    return int(found[0]) if found else 0


def _above_at_most(file: Path, n_rows: int, most: int) -> float:
    """Find a round score that so many rows at most are above."""
    ranks = (most, most + 1) if most < n_rows else (n_rows, n_rows)
    with small_database() as connection, reading("The result", LIMITS):
        found = connection.execute(
            f"SELECT rank, score FROM read_parquet({literal(str(file))}) WHERE rank BETWEEN ? AND ?", ranks
        ).fetchall()
    scores = dict(found)
    if most >= n_rows:
        return math.nextafter(scores[n_rows], -math.inf) if scores else 0.0
    below = float(scores[most + 1])
    return between(below, float(scores.get(most, math.inf)))


def between(low: float, high: float) -> float:
    """Give the shortest number from `low` up to below `high`, or `low` when they are equal.

    >>> between(2.3071, 2.3193), between(1.0, 1.0), between(3.5, float("inf"))
    (2.31, 1.0, 3.5)
    """
    if not low < high < math.inf:
        return low
    middle = low + (high - low) / 2
    for digits in range(1, 17):
        short = float(f"{middle:.{digits}g}")
        if low <= short < high:
            return short
    return low
