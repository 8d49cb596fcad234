"""Links that work once and give an account a new password: an administrator's, or one sent by e-mail."""

from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from pynomaly.errors import BadResetLink, Conflict
from pynomaly.server.audit import record
from pynomaly.server.db import Database, utc_now
from pynomaly.server.users import keys, logins, throttle
from pynomaly.server.users.models import OneTimeLink, User
from pynomaly.server.users.passwords import hash_password
from pynomaly.server.users.tokens import digest, new_opaque
from pynomaly.settings import Settings

PURPOSE = "password"
BY_ADMINISTRATOR = timedelta(hours=24)
BY_MAIL = timedelta(hours=1)


def issue(session: Session, actor: User | None, user: User, lifetime: timedelta) -> tuple[str, datetime]:
    """Make a link for an account; earlier ones stop working. Gives its path and when it expires.

    Raises Conflict when the account is disabled.
    """
    if not user.active:
        raise Conflict("This account is disabled: enable it first.")
    withdraw(session, user)
    token, expires_at = new_opaque(), utc_now() + lifetime
    link = OneTimeLink(purpose=PURPOSE, user_id=user.id, token_hash=digest(token), expires_at=expires_at)
    session.add(link)
    session.flush()
    record(session, actor, "password.link", user)
    return f"/password-reset?token={token}", expires_at


def withdraw(session: Session, user: User) -> None:
    """Make an account's links useless."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.purpose == PURPOSE, OneTimeLink.user_id == user.id))


def is_open(session: Session, token: str) -> bool:
    """Tell whether the link with this token can still be used."""
    return session.execute(_usable(token)).first() is not None


def use(
    database: Database, token: str, password: str, *, address: str = "", revoke_api_keys: bool = False
) -> None:
    """Give the account of a link a new password, and end all its log-ins.

    Takes its own transactions: no lock is held while the password is hashed.

    Raises:
        BadResetLink: the token is unknown, expired or used, or its account is disabled.
        BadAccount: the password cannot be used; the link stays good.
        TooManyAttempts: too many unknown tokens came from this address.
    """
    with database.session() as session:
        throttle.begin(session, "", address, throttle.USE_LINK)
        found = session.execute(_usable(token)).first()
    if found is None:
        raise BadResetLink
    fresh = hash_password(password, found[1].email, "new_password")
    with database.session() as session:
        row = session.execute(_usable(token).with_for_update()).first()  # of two at once, one waits and fails
        if row is None:
            raise BadResetLink
        user = row[1]
        set_password(session, user, fresh, actor=None)
        if revoke_api_keys:
            keys.revoke_all(session, None, user)
        throttle.forgive(session, user.email, address)
        throttle.forgive(session, "", address, throttle.USE_LINK)
        record(session, None, "password.reset", user)


def set_password(
    session: Session, user: User, password_hash: str, *, actor: User | None, but_login: str | None = None
) -> None:
    """Store a password's hash; other log-ins end, and every link (also the one in use) stops working."""
    user.password_hash = password_hash
    logins.revoke_all(session, actor, user, but=but_login)
    withdraw(session, user)


def sweep(session: Session, _settings: Settings) -> None:
    """Delete links that have expired, those for setting up included."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < utc_now()))


def _usable(token: str) -> Select[OneTimeLink, User]:
    return (
        select(OneTimeLink, User)
        .join(User, User.id == OneTimeLink.user_id)
        .where(
            OneTimeLink.purpose == PURPOSE,
            OneTimeLink.token_hash == digest(token),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > utc_now(),
            User.active,
        )
    )
