"""What an account owns, and handing it to another before the account is deleted."""

from typing import Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from pynomaly.errors import BadValue, Conflict
from pynomaly.server import paging
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detections.models import Detection, Feedback
from pynomaly.server.detectors.models import Detector, Model
from pynomaly.server.jobs.models import Job
from pynomaly.server.sharing.models import Share
from pynomaly.server.users.models import User

OWNED: dict[str, Any] = {"datasets": Dataset, "detectors": Detector, "models": Model, "results": Detection}


def transfer(session: Session, user: User, to: str | None) -> dict[str, int]:
    """Give all that `user` owns to the account `to`; says how many things of each kind.

    Raises:
        Conflict: there is something, and `to` is not given.
        BadValue: `to` is no other active account.
    """
    if to is None:
        if any(_has(session, kind, user) for kind in OWNED.values()):
            raise Conflict("This account owns things: say who gets them (transfer_to), or delete them first.")
        return {}
    heir = session.get(User, to, with_for_update=True) if paging.UUID.fullmatch(to) else None
    if heir is None or heir.id == user.id or not heir.active:
        raise BadValue("transfer_to is no other active account.", pointer="#/transfer_to", place="query")
    counts = {name: _move(session, kind, user, heir) for name, kind in OWNED.items()}
    _move(session, Job, user, heir)
    _move_feedback(session, user, heir)
    _end_needless_shares(session, heir)
    return counts


def counts(session: Session, user: User) -> dict[str, int]:
    """Count what an account owns, of each kind."""
    return {
        name: session.scalar(select(func.count()).select_from(kind).where(kind.owner_id == user.id)) or 0
        for name, kind in OWNED.items()
    }


def _has(session: Session, kind: Any, user: User) -> bool:
    return session.scalars(select(kind.id).where(kind.owner_id == user.id).limit(1)).first() is not None


def _move(session: Session, kind: Any, user: User, heir: User) -> int:
    moved = update(kind).where(kind.owner_id == user.id).values(owner_id=heir.id).returning(kind.id)
    return len(session.scalars(moved, execution_options={"synchronize_session": False}).all())


def _move_feedback(session: Session, user: User, heir: User) -> None:
    """A verdict on a row that the heir has judged too is lost."""
    theirs = aliased(Feedback)
    judged = exists().where(
        theirs.user_id == heir.id, theirs.detection_id == Feedback.detection_id, theirs.row == Feedback.row
    )
    session.execute(
        update(Feedback).where(Feedback.user_id == user.id, ~judged).values(user_id=heir.id),
        execution_options={"synchronize_session": False},
    )


def _end_needless_shares(session: Session, heir: User) -> None:
    """Nothing is shared with its owner."""
    own = [
        column.in_(select(kind.id).where(kind.owner_id == heir.id))
        for column, kind in ((Share.dataset_id, Dataset), (Share.detector_id, Detector))
    ]
    session.execute(
        delete(Share).where(Share.user_id == heir.id, or_(*own)),
        execution_options={"synchronize_session": False},
    )
