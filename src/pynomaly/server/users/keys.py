"""API keys: with which programs act for an account."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from pynomaly.errors import BadValue, Conflict, NotFound
from pynomaly.server import paging
from pynomaly.server.audit import record
from pynomaly.server.db import utc_now
from pynomaly.server.names import check_name
from pynomaly.server.users.models import ApiKey, User
from pynomaly.server.users.permissions import SCOPES
from pynomaly.server.users.tokens import digest, new_opaque

PREFIX = "pyn_"
SHOWN = len(PREFIX) + 8
"""Characters of a key by which people tell it from others; 35 that nobody knows are left."""
MOST = 100
"""Live keys of one account."""
SORTS = paging.Sorts(ApiKey.id, {"created_at": ApiKey.created_at, "name": ApiKey.name})


def by_secret(session: Session, secret: str) -> tuple[User, ApiKey] | None:
    """Find the live key with this secret and its active account."""
    query = select(User, ApiKey).join(ApiKey, ApiKey.user_id == User.id)
    found = query.where(ApiKey.key_hash == digest(secret), *_live(), User.active)
    row = session.execute(found).first()
    return None if row is None else (row[0], row[1])


def create(
    session: Session, actor: User, name: str, scopes: Sequence[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key; its secret is returned this once, and only its hash is stored.

    Raises:
        BadValue: a scope is unknown or beyond the actor's role, or `expires_at` has passed.
        Conflict: the actor has too many live keys.
    """
    granted = _checked_scopes(actor, scopes)
    _check_future(expires_at)
    live = select(func.count()).select_from(ApiKey).where(ApiKey.user_id == actor.id, *_live())
    if (session.scalar(live) or 0) >= MOST:
        raise Conflict(f"You have {MOST} live API keys: revoke one first.")
    key, secret = _add(session, actor, check_name(name), granted, expires_at)
    record(session, actor, "apikey.create", key, prefix=key.prefix, scopes=granted)
    return key, secret


def list_page(
    session: Session,
    actor: User,
    *,
    live: bool | None = None,
    sort: str = "-created_at",
    cursor: str | None = None,
    limit: int = 50,
) -> paging.Page[ApiKey]:
    """List one's own keys: all, those that work (`live`), or those that do not any more."""
    query = select(ApiKey).where(ApiKey.user_id == actor.id)
    if live is not None:
        works = _live()[0] & _live()[1]
        query = query.where(works if live else ~works)
    return paging.page(session, query, SORTS, sort, cursor, limit)


def get(session: Session, actor: User, id_: str, *, lock: bool = False) -> ApiKey:
    """Return one of one's own keys; NotFound when there is none with this id."""
    query = select(ApiKey).where(ApiKey.id == id_, ApiKey.user_id == actor.id)
    query = query.with_for_update() if lock else query
    key = session.scalars(query).first() if paging.UUID.fullmatch(id_) else None
    if key is None:
        raise NotFound("There is no API key with this id, or it is not yours.")
    return key


def revoke(session: Session, actor: User, id_: str) -> None:
    """End a key at once; one that has ended stays as it is."""
    key = get(session, actor, id_, lock=True)
    if key.revoked_at is None:
        key.revoked_at = utc_now()
        record(session, actor, "apikey.revoke", key, prefix=key.prefix)


def revoke_all(session: Session, actor: User | None, user: User) -> int:
    """End every key of a person; gives how many there were."""
    live = (ApiKey.user_id == user.id, ApiKey.revoked_at.is_(None))
    ended = update(ApiKey).where(*live).values(revoked_at=utc_now()).returning(ApiKey.id)
    count = len(session.scalars(ended, execution_options={"synchronize_session": False}).all())
    if count:
        record(session, actor, "apikey.revoke", user, count=count)
    return count


def rotate(
    session: Session, actor: User, id_: str, *, overlap: timedelta, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make the key that takes another's place; the old one works on for `overlap`, then ends.

    The new one has the same name and scopes (of these, what the role still has) and, unless `expires_at` is
    given, lives as long as the old one was meant to.

    Raises Conflict when the old one has ended or was rotated before.
    """
    _check_future(expires_at)
    old, now = get(session, actor, id_, lock=True), utc_now()
    ended = old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now)
    if ended or old.rotated_to_id is not None:
        raise Conflict("This key has ended, or another has taken its place already.")
    if expires_at is None and old.expires_at is not None:
        expires_at = now + (old.expires_at - old.created_at)
    may: frozenset[str] = actor.permissions
    scopes = [scope for scope in old.scopes if scope in may]
    key, secret = _add(session, actor, old.name, scopes, expires_at)
    old.rotated_to_id = key.id
    end = now + overlap
    old.expires_at = end if old.expires_at is None else min(old.expires_at, end)
    if not overlap:
        old.revoked_at = now
    record(session, actor, "apikey.rotate", old, prefix=old.prefix, to=key.id, until=end.isoformat())
    return key, secret


def _add(
    session: Session, actor: User, name: str, scopes: list[str], expires_at: datetime | None
) -> tuple[ApiKey, str]:
    secret = new_opaque(PREFIX)
    key = ApiKey(
        user_id=actor.id,
        name=name,
        prefix=secret[:SHOWN],
        key_hash=digest(secret),
        scopes=scopes,
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key, secret


def _checked_scopes(actor: User, scopes: Sequence[str]) -> list[str]:
    for number, scope in enumerate(scopes):
        if scope not in SCOPES or scope not in actor.permissions:
            raise BadValue(
                f"Your role, {actor.role}, cannot give a key the scope {scope[:50]!r}.",
                pointer=f"#/scopes/{number}",
            )
    return [str(scope) for scope in SCOPES if scope in scopes]


def _check_future(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= utc_now():
        raise BadValue("expires_at must be in the future.", pointer="#/expires_at")


def _live() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > utc_now())
