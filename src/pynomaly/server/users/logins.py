"""Log-ins: opening, finding, refreshing and ending them, in browsers and through the API alike."""

from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from pynomaly.server.db import utc_now
from pynomaly.server.users.models import Login, RefreshToken, User
from pynomaly.server.users.tokens import digest, new_opaque

REFRESH_PREFIX = "pynr_"
GRACE = timedelta(seconds=10)
"""A client whose answer got lost may send the same refresh token again this soon."""


def open_in_browser(session: Session, user: User, *, days: int, address: str = "") -> str:
    """Log a person in; the cookie's value, always a new one, is returned and only its hash is stored."""
    cookie = new_opaque()
    _open(session, user, days, address, digest(cookie))
    return cookie


def open_through_api(session: Session, user: User, *, days: int, address: str = "") -> tuple[Login, str]:
    """Log a client in; the refresh token is returned and only its hash is stored."""
    login = _open(session, user, days, address, None)
    return login, _add_refresh_token(session, login)


def by_cookie(session: Session, cookie: str) -> tuple[User, Login] | None:
    """Find the live log-in of a browser's cookie and its active user."""
    return _live(session, Login.cookie_hash == digest(cookie))


def by_id(session: Session, login_id: str) -> tuple[User, Login] | None:
    """Find the live log-in that an access token names and its active user."""
    return _live(session, Login.id == login_id)


def rotate(session: Session, token: str, *, days: int) -> tuple[Login, str] | None:
    """Exchange a refresh token for the next one; None when it is not good.

    A token that comes back after its use (and the grace time) has been copied: the whole log-in is revoked,
    so the caller must commit even when the answer is None.
    """
    known = select(RefreshToken).where(RefreshToken.token_hash == digest(token))
    old = session.scalars(known.with_for_update()).first()
    found = None if old is None else by_id(session, old.login_id)
    if old is None or found is None:
        return None
    now = utc_now()
    if old.used_at is not None and now - old.used_at > GRACE:
        revoke(session, old.login_id)
        return None
    old.used_at = old.used_at or now
    login = found[1]
    login.expires_at = now + timedelta(days=days)
    return login, _add_refresh_token(session, login)


def revoke(session: Session, login_id: str) -> None:
    """End a log-in: its cookie, access tokens and refresh tokens are refused from now on."""
    live = (Login.id == login_id, Login.revoked_at.is_(None))
    session.execute(update(Login).where(*live).values(revoked_at=utc_now()))


def _open(session: Session, user: User, days: int, address: str, cookie_hash: str | None) -> Login:
    now = utc_now()
    session.execute(delete(Login).where(Login.user_id == user.id, Login.expires_at < now))
    login = Login(
        user_id=user.id, cookie_hash=cookie_hash, address=address[:64], expires_at=now + timedelta(days=days)
    )
    session.add(login)
    session.flush()
    return login


def _add_refresh_token(session: Session, login: Login) -> str:
    token = new_opaque(REFRESH_PREFIX)
    session.add(RefreshToken(login_id=login.id, token_hash=digest(token)))
    session.flush()
    return token


def _live(session: Session, is_it: ColumnElement[bool]) -> tuple[User, Login] | None:
    query = select(User, Login).join(Login, Login.user_id == User.id)
    live = query.where(is_it, Login.revoked_at.is_(None), Login.expires_at > utc_now(), User.active)
    row = session.execute(live).first()
    return None if row is None else (row[0], row[1])
