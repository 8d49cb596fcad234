"""What the start page tells of results: how many a day, and how many anomalies nobody has judged yet."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from pynomaly.server.access import visible
from pynomaly.server.db import utc_now
from pynomaly.server.detections.models import Detection, Feedback
from pynomaly.server.users.models import User

DAYS = 30
MOST_LOOKED_AT = 200
"""Of so many of the newest results the anomalies that wait are counted."""


@dataclass(frozen=True, slots=True)
class Day:
    """What was started on one day (in UTC), and how many anomalies that found."""

    day: datetime
    detections: int = 0
    anomalies: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Anomalies without a verdict, in so many results; `all_counted`: there are no older results."""

    anomalies: int
    results: int
    all_counted: bool


def per_day(session: Session, actor: User, days: int = DAYS) -> list[Day]:
    """Count detections and their anomalies on each of the last days, the oldest first, none left out."""
    today = utc_now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=days - 1)
    day = _day(session)
    query = (
        visible(actor, Detection)
        .with_only_columns(day, func.count(), func.coalesce(func.sum(Detection.n_anomalies), 0))
        .where(Detection.created_at >= first)
        .group_by(day)
    )
    found = {str(name): (int(count), int(anomalies)) for name, count, anomalies in session.execute(query)}
    named = (first + timedelta(days=place) for place in range(days))
    return [Day(one, *found.get(f"{one:%Y-%m-%d}", (0, 0))) for one in named]


def _day(session: Session) -> ColumnElement[Any]:
    """The day of a detection's start, in UTC, as the database says it."""
    if session.get_bind().dialect.name == "sqlite":
        return func.date(Detection.created_at)
    return func.date(func.timezone("UTC", Detection.created_at))


def waiting(session: Session, actor: User) -> Waiting:
    """Count the anomalies of the newest results that nobody has said anything of."""
    newest = (
        visible(actor, Detection)
        .with_only_columns(Detection.id, Detection.n_anomalies)
        .where(Detection.stored_status == "completed", Detection.n_anomalies > 0)
        .order_by(Detection.created_at.desc(), Detection.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    found: dict[str, int] = {id_: n or 0 for id_, n in session.execute(newest)}
    said = (
        select(Feedback.detection_id, func.count(Feedback.rank.distinct()))
        .join(Detection, Detection.id == Feedback.detection_id)
        .where(Feedback.detection_id.in_(found), Feedback.rank <= Detection.n_anomalies)
        .group_by(Feedback.detection_id)
    )
    judged: dict[str, int] = {row[0]: row[1] for row in session.execute(said)}
    left = [n - min(n, judged.get(id_, 0)) for id_, n in found.items()]
    return Waiting(sum(left), sum(n > 0 for n in left), len(found) < MOST_LOOKED_AT)
