"""Shares: give a dataset or detector to a person or to everyone, look who has it, take it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pynomaly.errors import BadValue
from pynomaly.server import audit, paging
from pynomaly.server.access import Owned, find, require
from pynomaly.server.db import new_id
from pynomaly.server.sharing.models import Access, Share
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import Permission
from pynomaly.server.users.service import normalised_email

Held = Literal["own", "view", "use"]
"""What somebody may do with a thing: as its owner (or an administrator), or by a share."""
T = TypeVar("T", bound=Owned)
SORTS = paging.Sorts(Share.id, {"created_at": Share.created_at})
_SUBJECTS: dict[str, tuple[InstrumentedAttribute[str | None], Permission]] = {
    "dataset": (Share.dataset_id, "datasets:write"),
    "detector": (Share.detector_id, "detectors:write"),
}


@dataclass(frozen=True)
class Given:
    """One share and the person who has it; no person: everyone with an account."""

    user_id: str | None
    email: str | None
    name: str | None
    access: Access
    created_at: datetime

    @property
    def everyone(self) -> bool:
        """Whether it is for everyone."""
        return self.user_id is None


def list_page(
    session: Session, actor: User, kind: type[T], id_: str, cursor: str | None = None, limit: int = 50
) -> tuple[list[Given], str | None]:
    """List who else has a thing, oldest share first; for its owner and administrators.

    Returns the shares and the next page's cursor (None: it is the last).
    """
    thing = find(session, actor, kind, id_, need="own")
    query = select(Share).where(_subject(kind) == thing.id)
    page = paging.page(session, query, SORTS, "created_at", cursor, limit)
    people = {user.id: user for user in session.scalars(select(User).where(User.id.in_(_ids(page.items))))}
    return [_given(share, people.get(share.user_id or "")) for share in page.items], page.next_cursor


def give(
    session: Session,
    actor: User,
    kind: type[T],
    id_: str,
    access: Access,
    *,
    email: str | None = None,
    user_id: str | None = None,
    everyone: bool = False,
) -> Given:
    """Let one person, named by e-mail address or id, or everyone, see or use a thing.

    Given again it changes nothing; given with another access it changes that.

    Raises:
        BadValue: not exactly one of the three is given, or nobody is so called, or it is theirs already.
        NotFound, Forbidden: the actor may not see, or may not share it.
    """
    require(actor, _permission(kind))
    _check_one(email, user_id, everyone)
    thing = find(session, actor, kind, id_, lock=True, need="own")
    person = None if everyone else _person(session, email, user_id)
    if person is not None and person.id == thing.owner_id:
        raise BadValue("It belongs to this person already.", pointer="#/email" if email else "#/user_id")
    share = session.scalars(_to(kind, thing.id, person.id if person else None)).one_or_none()
    if share is None or share.access != access:
        share = share or Share(id=new_id(), user_id=person.id if person else None)
        setattr(share, _subject(kind).key, thing.id)
        share.access = access
        session.add(share)
        session.flush()
        audit.record(session, actor, f"{_word(kind)}.share", thing, access=access, **_told(person))
    return _given(share, person)


def take_back(
    session: Session,
    actor: User,
    kind: type[T],
    id_: str,
    *,
    user_id: str | None = None,
    everyone: bool = False,
) -> None:
    """End one person's share, or everyone's; where there is none, nothing changes.

    Raises:
        BadValue: not exactly one of the two is given.
        NotFound, Forbidden: the actor may not see, or may not share it.
    """
    require(actor, _permission(kind))
    _check_one(None, user_id, everyone)
    thing = find(session, actor, kind, id_, lock=True, need="own")
    share = session.scalars(_to(kind, thing.id, user_id)).one_or_none()
    if share is not None:
        person = session.get(User, share.user_id) if share.user_id else None
        session.delete(share)
        session.flush()
        audit.record(session, actor, f"{_word(kind)}.unshare", thing, access=share.access, **_told(person))


def held(session: Session, actor: User, kind: type[T], rows: Sequence[T]) -> dict[str, Held]:
    """Tell of each row that the actor sees what they may do with it, by id, in one query."""
    found: dict[str, Held] = {
        row.id: "own" if actor.is_admin or row.owner_id == actor.id else "view" for row in rows
    }
    if others := [id_ for id_, access in found.items() if access != "own"]:
        subject = _subject(kind)
        to_them = or_(Share.user_id == actor.id, Share.user_id.is_(None))
        used = select(subject).where(subject.in_(others), to_them, Share.access == "use")
        found |= dict.fromkeys((id_ for id_ in session.scalars(used) if id_ is not None), "use")
    return found


def given_away(session: Session, kind: type[T], rows: Sequence[T]) -> set[str]:
    """Tell which of these rows somebody else has, too, by id, in one query."""
    subject = _subject(kind)
    found = select(subject).where(subject.in_([row.id for row in rows])).distinct()
    return {id_ for id_ in session.scalars(found) if id_ is not None}


def _word(kind: type[Any]) -> str:
    return kind.__name__.lower()


def _subject(kind: type[Any]) -> InstrumentedAttribute[str | None]:
    return _SUBJECTS[_word(kind)][0]


def _permission(kind: type[Any]) -> Permission:
    return _SUBJECTS[_word(kind)][1]


def _check_one(email: str | None, user_id: str | None, everyone: bool) -> None:
    if (email is not None) + (user_id is not None) + everyone != 1:
        raise BadValue("Name one person, or everyone.", pointer="#/user_id")


def _person(session: Session, email: str | None, user_id: str | None) -> User:
    """Find an active account."""
    named = User.email == normalised_email(email) if email is not None else User.id == user_id
    person = session.scalars(select(User).where(named, User.active.is_(True))).one_or_none()
    if person is None:
        raise BadValue("Nobody here has this account.", pointer="#/email" if email else "#/user_id")
    return person


def _to(kind: type[Any], id_: str, user_id: str | None) -> Any:
    whose = Share.user_id.is_(None) if user_id is None else Share.user_id == user_id
    return select(Share).where(_subject(kind) == id_, whose)


def _ids(shares: Sequence[Share]) -> list[str]:
    return [share.user_id for share in shares if share.user_id is not None]


def _given(share: Share, person: User | None) -> Given:
    name, email = (person.name, person.email) if person else (None, None)
    return Given(share.user_id, email, name, share.access, share.created_at)


def _told(person: User | None) -> dict[str, Any]:
    return {"user_id": person.id, "email": person.email} if person else {"everyone": True}
