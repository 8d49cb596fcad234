"""What people say of rows of a result: one verdict of each person on each row, with a note."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from pynomaly.errors import BadValue, NotFound, NotReady
from pynomaly.server import audit, paging
from pynomaly.server.access import find, require
from pynomaly.server.db import new_id, utc_now
from pynomaly.server.detections import places
from pynomaly.server.detections.models import Detection, Feedback, Verdict
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User

MOST_NOTE = 4000
MOST_UNRANKED = 1000
SORTS = paging.Sorts(Feedback.id, {"row": Feedback.row, "updated_at": Feedback.updated_at})


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict on a row, by its 0-based number in the dataset."""

    row: int
    verdict: Verdict
    note: str = ""


def give(
    session: Session, actor: User, storage: LocalStorage, id_: str, said: Sequence[Said]
) -> list[Feedback]:
    """Keep verdicts; one that the actor gave on the same row before is replaced.

    Raises:
        NotReady: the result is not completed.
        BadValue: there is no such row, it is named twice, or a note cannot be stored.
        Forbidden: the actor may only look.
    """
    require(actor, "detections:write")
    detection = find(session, actor, Detection, id_, need="own")
    if detection.stored_status != "completed":
        raise NotReady("The detection has no result yet.", status=detection.stored_status)
    rows = _checked(said, detection.n_rows or 0)
    file, wanted = storage.open_path(str(detection.blob_key)), rows | _unranked(session, detection)
    ranks = places.ranks(file, wanted, detection.n_anomalies or 0)
    now = utc_now()
    values = [
        {
            "id": new_id(),
            "detection_id": detection.id,
            "user_id": actor.id,
            "row": one.row,
            "rank": ranks.get(one.row),
            "verdict": one.verdict,
            "note": one.note,
            "created_at": now,
            "updated_at": now,
        }
        for one in said
    ]
    session.execute(_upsert(session, values))
    for row in ranks.keys() - rows:
        unranked = update(Feedback).where(Feedback.detection_id == detection.id, Feedback.row == row)
        session.execute(unranked.values(rank=ranks[row], updated_at=Feedback.updated_at))
    mine = (Feedback.detection_id == detection.id, Feedback.user_id == actor.id, Feedback.row.in_(rows))
    fresh = select(Feedback).where(*mine).order_by(Feedback.row)
    return list(session.scalars(fresh.execution_options(populate_existing=True)))


def _unranked(session: Session, detection: Detection) -> set[int]:
    """Rows that were judged before ranks were kept."""
    query = select(Feedback.row).where(Feedback.detection_id == detection.id, Feedback.rank.is_(None))
    return set(session.scalars(query.limit(MOST_UNRANKED)))


def _checked(said: Sequence[Said], n_rows: int) -> set[int]:
    seen: set[int] = set()
    for place, one in enumerate(said):
        if not 0 <= one.row < n_rows:
            raise BadValue(
                f"There is no row {one.row}: rows are 0 to {n_rows - 1}.", pointer=f"#/items/{place}/row"
            )
        if one.row in seen:
            raise BadValue(f"Row {one.row} is named twice.", pointer=f"#/items/{place}/row")
        if len(one.note) > MOST_NOTE or "\x00" in one.note:
            raise BadValue(
                f"A note has at most {MOST_NOTE:,} characters, and no NUL.", pointer=f"#/items/{place}/note"
            )
        seen.add(one.row)
    return seen


def _upsert(session: Session, values: list[dict[str, Any]]) -> Any:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Feedback).values(values)
    given = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[Feedback.detection_id, Feedback.row, Feedback.user_id],
        set_={
            "rank": given.rank,
            "verdict": given.verdict,
            "note": given.note,
            "updated_at": given.updated_at,
        },
    )


def list_page(
    session: Session,
    actor: User,
    id_: str,
    verdict: Verdict | None = None,
    sort: str = "row",
    cursor: str | None = None,
    limit: int = 50,
) -> paging.Page[Feedback]:
    """List what was said of a result's rows, by all who may see it."""
    detection = find(session, actor, Detection, id_)
    query = select(Feedback).where(Feedback.detection_id == detection.id)
    if verdict is not None:
        query = query.where(Feedback.verdict == verdict)
    return paging.page(session, query, SORTS, sort, cursor, limit)


def take_back(session: Session, actor: User, id_: str, row: int) -> None:
    """Delete the actor's own verdict on a row; NotFound when there is none."""
    require(actor, "detections:write")
    detection = find(session, actor, Detection, id_, need="own")
    own = (Feedback.detection_id == detection.id, Feedback.row == row, Feedback.user_id == actor.id)
    if session.scalar(delete(Feedback).where(*own).returning(Feedback.id)) is None:
        raise NotFound(f"You gave no verdict on row {row} of this result.")
    audit.record(session, actor, "feedback.delete", detection, row=row)


def counts(session: Session, detection: Detection) -> dict[Verdict, int]:
    """Count the verdicts on a result's rows."""
    query = select(Feedback.verdict, func.count()).where(Feedback.detection_id == detection.id)
    found: dict[Verdict, int] = {}
    for verdict, count in session.execute(query.group_by(Feedback.verdict)):
        found[verdict] = count
    return found


def latest(session: Session, detection: Detection) -> list[tuple[int, str, str]]:
    """Row, verdict and note of every row of which something was said; of several people the last one's."""
    query = select(Feedback.row, Feedback.verdict, Feedback.note)
    ordered = query.where(Feedback.detection_id == detection.id).order_by(Feedback.updated_at, Feedback.id)
    found = {row: (row, str(verdict), note) for row, verdict, note in session.execute(ordered)}
    return [found[row] for row in sorted(found)]
