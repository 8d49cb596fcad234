"""Log-ins: opening, finding, refreshing and ending them, in browsers and through the API alike."""

import base64
import hashlib
import hmac
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from pynomaly.errors import NotFound
from pynomaly.server import paging
from pynomaly.server.audit import record
from pynomaly.server.db import utc_now
from pynomaly.server.origin import ORIGIN
from pynomaly.server.users.models import Login, RefreshToken, User
from pynomaly.server.users.tokens import digest, new_opaque

REFRESH_PREFIX = "pynr_"
GRACE = timedelta(seconds=10)
"""A client whose answer got lost may send the same refresh token again this soon."""
SORTS = paging.Sorts(Login.id, {"created_at": Login.created_at})


def open_in_browser(
    session: Session, user: User, *, days: int, address: str = "", through: str = "browser"
) -> str:
    """Log a person in; the cookie's value, always a new one, is returned and only its hash is stored."""
    cookie = new_opaque()
    _open(session, user, days, address, digest(cookie), through)
    return cookie


def open_through_api(session: Session, user: User, *, days: int, address: str = "") -> tuple[Login, str]:
    """Log a client in; the refresh token is returned and only its hash is stored."""
    login = _open(session, user, days, address, None, "api")
    token = new_opaque(REFRESH_PREFIX)
    _add_refresh_token(session, login, token)
    return login, token


def by_cookie(session: Session, cookie: str) -> tuple[User, Login] | None:
    """Find the live log-in of a browser's cookie and its active user."""
    return _live(session, Login.cookie_hash == digest(cookie))


def by_id(session: Session, login_id: str) -> tuple[User, Login] | None:
    """Find the live log-in that an access token names and its active user."""
    return _live(session, Login.id == login_id)


def list_page(
    session: Session, actor: User, cursor: str | None = None, limit: int = 50
) -> paging.Page[Login]:
    """List one's own live log-ins, newest first."""
    query = select(Login).where(Login.user_id == actor.id, *_is_live())
    return paging.page(session, query, SORTS, "-created_at", cursor, limit)


def rotate(session: Session, token: str, *, days: int) -> tuple[Login, str] | None:
    """Exchange a refresh token for the next one; None when it is not good.

    A client whose answer got lost sends the token again within the grace time and gets the very same answer,
    so that a family has one living token at any time. A token that comes back later, or after its successor
    was used, has been copied: the whole log-in is revoked, so the caller must commit even when the answer is
    None.
    """
    known = select(RefreshToken).where(RefreshToken.token_hash == digest(token))
    old = session.scalars(known.with_for_update()).first()
    found = None if old is None else by_id(session, old.login_id)
    if old is None or found is None:
        return None
    user, login = found
    following, now = _successor(old, token), utc_now()
    if old.used_at is None:
        old.used_at = now
        _add_refresh_token(session, login, following)
    elif now - old.used_at > GRACE or _is_used(session, following):
        revoke(session, login.id)
        record(session, None, "refresh.reused", user, login=login.id)
        return None
    login.expires_at = now + timedelta(days=days)
    return login, following


def end(session: Session, actor: User, login: Login) -> None:
    """Log out."""
    revoke(session, login.id)
    record(session, actor, "logout", login)


def revoke_own(session: Session, actor: User, id_: str) -> None:
    """End one of one's own log-ins, in whatever browser or client it is.

    Raises NotFound when there is no live one with this id.
    """
    query = select(Login).where(Login.id == id_, Login.user_id == actor.id, *_is_live())
    login = session.scalars(query).first() if paging.UUID.fullmatch(id_) else None
    if login is None:
        raise NotFound("There is no session with this id.")
    revoke(session, login.id)
    record(session, actor, "session.revoke", login)


def revoke_all(session: Session, actor: User | None, user: User, *, but: str | None = None) -> int:
    """End every log-in of a person, or every other one; gives how many there were."""
    live = [Login.user_id == user.id, Login.revoked_at.is_(None)]
    if but is not None:
        live.append(Login.id != but)
    ended = update(Login).where(*live).values(revoked_at=utc_now()).returning(Login.id)
    count = len(session.scalars(ended, execution_options={"synchronize_session": False}).all())
    if count:
        record(session, actor, "session.revoke", user, count=count)
    return count


def revoke(session: Session, login_id: str) -> None:
    """End a log-in: its cookie, access tokens and refresh tokens are refused from now on."""
    live = (Login.id == login_id, Login.revoked_at.is_(None))
    session.execute(update(Login).where(*live).values(revoked_at=utc_now()))


def _open(
    session: Session, user: User, days: int, address: str, cookie_hash: str | None, through: str
) -> Login:
    now = utc_now()
    session.execute(delete(Login).where(Login.user_id == user.id, Login.expires_at < now))
    login = Login(
        user_id=user.id,
        cookie_hash=cookie_hash,
        address=address[:64],
        user_agent=ORIGIN.get().user_agent,
        expires_at=now + timedelta(days=days),
    )
    session.add(login)
    session.flush()
    record(session, user, "login.success", login, through=through)
    return login


def _successor(old: RefreshToken, token: str) -> str:
    """The token that follows: known to nobody who has not both the token and its row's random id."""
    following = hmac.digest(old.id.encode(), token.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return REFRESH_PREFIX + base64.urlsafe_b64encode(following).decode().rstrip("=")


def _add_refresh_token(session: Session, login: Login, token: str) -> None:
    session.add(RefreshToken(login_id=login.id, token_hash=digest(token)))
    session.flush()


def _is_used(session: Session, token: str) -> bool:
    query = select(RefreshToken.used_at).where(RefreshToken.token_hash == digest(token))
    return session.scalars(query).one() is not None


def _is_live() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Login.revoked_at.is_(None), Login.expires_at > utc_now()


def _live(session: Session, is_it: ColumnElement[bool]) -> tuple[User, Login] | None:
    query = select(User, Login).join(Login, Login.user_id == User.id)
    row = session.execute(query.where(is_it, *_is_live(), User.active)).first()
    return None if row is None else (row[0], row[1])
