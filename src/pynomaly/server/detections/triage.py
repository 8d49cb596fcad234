"""Triage: the anomalies of results one after the other, until somebody has given a verdict on each.

A row is judged when anybody gave a verdict on it; of several the latest counts. The anomalies of a result are
its rows of the ranks 1 to `n_anomalies`.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from pynomaly.errors import NotFound, NotReady
from pynomaly.server import paging, positions
from pynomaly.server.access import visible
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detections import feedback, places, service
from pynomaly.server.detections.filters import Filters
from pynomaly.server.detections.models import Detection, Feedback, Verdict
from pynomaly.server.detections.result import ResultRow
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User


@dataclass(frozen=True, slots=True)
class Waiting:
    """A result in the inbox: how many of its anomalies somebody has judged."""

    detection: Detection
    judged: int

    @property
    def total(self) -> int:
        """How many anomalies it has."""
        return self.detection.n_anomalies or 0


@dataclass(frozen=True, slots=True)
class Tally:
    """The latest verdicts on the anomalies of a result."""

    total: int
    anomaly: int = 0
    normal: int = 0
    unsure: int = 0

    @property
    def judged(self) -> int:
        """How many have a verdict."""
        return self.anomaly + self.normal + self.unsure

    @property
    def precision(self) -> float | None:
        """Of those that were found to be the one or the other, the share of anomalies; None: of none."""
        decided = self.anomaly + self.normal
        return self.anomaly / decided if decided else None


@dataclass(frozen=True, slots=True)
class Case:
    """One row to judge: its neighbours by rank, what was said of it, and which verdict `undo` takes back."""

    row: ResultRow
    previous: int | None
    following: int | None
    said: list[tuple[Feedback, User]]
    own: Feedback | None
    last: Feedback | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict was given: which one it replaced, and which row is next (None: all are judged)."""

    was: Verdict | None
    following: int | None


def inbox(
    session: Session,
    actor: User,
    filters: Filters,
    *,
    everything: bool = False,
    cursor: str | None = None,
    limit: int = 25,
) -> tuple[list[Waiting], str | None]:
    """List results with anomalies, newest first: those with open ones, or also those that are done.

    Returns them and the cursor of the next page (None: this is the last).
    """
    flagged = (Detection.stored_status == "completed", Detection.n_anomalies > 0)
    query = filters.applied(visible(actor, Detection)).where(*flagged)
    if not everything:
        query = query.where(_judged() < Detection.n_anomalies)
    query = query.options(
        joinedload(Detection.dataset).defer(Dataset.columns), joinedload(Detection.detector)
    )
    page = paging.page(session, query, service.SORTS, "-created_at", cursor, limit)
    ids = [detection.id for detection in page.items]
    counted = session.execute(select(Detection.id, _judged()).where(Detection.id.in_(ids)))
    judged: dict[str, int] = {id_: count for id_, count in counted}  # noqa: C416 - a Result is no pair of columns
    return [Waiting(detection, judged[detection.id]) for detection in page.items], page.next_cursor


def _judged() -> ScalarSelect[Any]:
    """How many anomalies of a detection have a verdict, as a subquery."""
    of_it = (Feedback.detection_id == Detection.id, Feedback.rank <= Detection.n_anomalies)
    return select(func.count(Feedback.rank.distinct())).where(*of_it).correlate(Detection).scalar_subquery()


def get(session: Session, actor: User, id_: str) -> Detection:
    """Return a completed result; NotReady: it is not."""
    detection = service.get(session, actor, id_)
    if detection.status != "completed":
        raise NotReady(f"The detection has no result: it is {detection.status}.", status=detection.status)
    return detection


def tally(session: Session, detection: Detection) -> Tally:
    """Count the latest verdicts on a result's anomalies."""
    newer = aliased(Feedback)
    superseded = (
        select(newer.id)
        .where(
            newer.detection_id == Feedback.detection_id,
            newer.row == Feedback.row,
            or_(
                newer.updated_at > Feedback.updated_at,
                and_(newer.updated_at == Feedback.updated_at, newer.id > Feedback.id),
            ),
        )
        .exists()
    )
    query = select(Feedback.verdict, func.count()).where(*_of(detection), ~superseded)
    counts = {str(verdict): count for verdict, count in session.execute(query.group_by(Feedback.verdict))}
    return Tally(detection.n_anomalies or 0, **counts)


def _of(detection: Detection) -> tuple[ColumnElement[bool], ...]:
    return Feedback.detection_id == detection.id, Feedback.rank <= (detection.n_anomalies or 0)


def first_open(session: Session, storage: LocalStorage, detection: Detection, after: int = 0) -> int | None:
    """Find the row of the first anomaly behind a rank that nobody judged; behind the last comes the first.

    None: all are judged.
    """
    rank = _next_rank(session, detection, after)
    if rank is None and after:
        rank = _next_rank(session, detection, 0)
    return None if rank is None else row_of_rank(storage, detection, rank)


def row_of_rank(storage: LocalStorage, detection: Detection, rank: int) -> int:
    """Find the row that has a rank."""
    return places.rows_at(storage.open_path(str(detection.blob_key)), rank, rank)[rank]


def _next_rank(session: Session, detection: Detection, after: int) -> int | None:
    """The lowest rank above `after` without a verdict: the next one, or else one past a judged one."""
    of_it = Feedback.detection_id == detection.id
    rank = after + 1
    if session.scalar(select(Feedback.id).where(of_it, Feedback.rank == rank).limit(1)) is not None:
        beyond = aliased(Feedback)
        taken = select(beyond.id).where(beyond.detection_id == detection.id, beyond.rank == Feedback.rank + 1)
        gaps = select(func.min(Feedback.rank) + 1).where(of_it, Feedback.rank >= rank, ~taken.exists())
        rank = session.scalar(gaps) or rank
    return rank if rank <= (detection.n_anomalies or 0) else None


def case(session: Session, actor: User, storage: LocalStorage, detection: Detection, row: int) -> Case:
    """Look one row of a result up; NotFound when it has no such row."""
    file = storage.open_path(str(detection.blob_key))
    rank = places.ranks(file, [row], detection.n_anomalies or 0).get(row)
    if rank is None:
        raise NotFound(f"The result has no row {row}.")
    near = places.rows_at(file, rank - 1, rank + 1)
    here = positions.encode("-score", rank - 1)
    (found,), _next = service.rows(session, actor, storage, detection.id, limit=1, cursor=here)
    said = _said(session, detection, row)
    mine = own(session, actor, detection, row)
    return Case(
        row=found,
        previous=near.get(rank - 1),
        following=near.get(rank + 1),
        said=said,
        own=mine,
        last=mine or last(session, actor, detection),
    )


def _said(session: Session, detection: Detection, row: int) -> list[tuple[Feedback, User]]:
    query = select(Feedback, User).join(User, User.id == Feedback.user_id)
    on_it = (Feedback.detection_id == detection.id, Feedback.row == row)
    ordered = query.where(*on_it).order_by(Feedback.updated_at.desc(), Feedback.id).limit(50)
    return [(one, who) for one, who in session.execute(ordered)]


def own(session: Session, actor: User, detection: Detection, row: int) -> Feedback | None:
    """The actor's verdict on a row, if there is one."""
    theirs = (Feedback.detection_id == detection.id, Feedback.row == row, Feedback.user_id == actor.id)
    return session.scalars(select(Feedback).where(*theirs)).one_or_none()


def last(session: Session, actor: User, detection: Detection) -> Feedback | None:
    """The verdict on this result that the actor gave last."""
    theirs = (Feedback.detection_id == detection.id, Feedback.user_id == actor.id)
    newest = select(Feedback).where(*theirs).order_by(Feedback.updated_at.desc(), Feedback.id).limit(1)
    return session.scalars(newest).one_or_none()


def judge(session: Session, actor: User, storage: LocalStorage, id_: str, said: feedback.Said) -> Judged:
    """Keep the actor's verdict on a row, and find the next one that nobody judged.

    Raises:
        NotReady, BadValue, Forbidden: as `feedback.give`.
    """
    detection = get(session, actor, id_)
    before = own(session, actor, detection, said.row)
    was = None if before is None else before.verdict
    (kept,) = feedback.give(session, actor, storage, id_, [said])
    return Judged(was, first_open(session, storage, detection, kept.rank or 0))


def undo(
    session: Session, actor: User, storage: LocalStorage, id_: str, row: int, was: Verdict | None = None
) -> None:
    """Take the actor's own verdict on a row back; or put back the one (`was`) that it replaced.

    Raises:
        NotFound: there is none, perhaps since another tab took it back.
    """
    if was is None:
        feedback.take_back(session, actor, id_, row)
        return
    detection = get(session, actor, id_)
    kept = own(session, actor, detection, row)
    if kept is None:
        raise NotFound(f"You gave no verdict on row {row} of this result.")
    feedback.give(session, actor, storage, id_, [feedback.Said(row, was, kept.note)])
