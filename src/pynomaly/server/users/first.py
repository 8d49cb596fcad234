"""The first administrator: made from the settings, or through a set-up link that works once."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from pynomaly.errors import BadSetupLink, ConfigurationError, Conflict
from pynomaly.server.db import utc_now
from pynomaly.server.users.models import OneTimeLink, User
from pynomaly.server.users.service import create_user, has_users
from pynomaly.server.users.tokens import digest, new_opaque
from pynomaly.settings import Settings

PURPOSE = "setup"
LIFETIME = timedelta(hours=24)


def ensure(session: Session, settings: Settings) -> str | None:
    """Make the administrator that the settings name when nobody has an account.

    Returns the path of a new set-up link when there is still nobody, else None.
    """
    if has_users(session):
        return None
    if settings.admin_email or settings.admin_password_file:
        _from_settings(session, settings)
        return None
    return f"/setup?token={_new_link(session)}"


def is_open(session: Session, token: str) -> bool:
    """Tell whether the set-up link with this token can still be used."""
    return not has_users(session) and session.scalars(_usable(token)).first() is not None


def set_up(session: Session, token: str, email: str, password: str) -> User:
    """Make the first administrator with the token of a set-up link.

    Raises:
        BadSetupLink: the token is unknown, expired or used, or somebody has an account already.
        BadAccount: the address or password cannot be used; the link stays good.
    """
    everyone = select(OneTimeLink).where(OneTimeLink.purpose == PURPOSE).order_by(OneTimeLink.id)
    session.scalars(everyone.with_for_update()).all()  # links used at the same moment wait for each other
    link = session.scalars(_usable(token)).first()
    if link is None or has_users(session):
        raise BadSetupLink
    user = create_user(session, email, password, role="admin")
    link.used_at = utc_now()
    return user


def _from_settings(session: Session, settings: Settings) -> None:
    if not (settings.admin_email and settings.admin_password_file):
        raise ConfigurationError("Set PYNOMALY_ADMIN_EMAIL and PYNOMALY_ADMIN_PASSWORD_FILE both, or none.")
    password = read_password(settings.admin_password_file)
    try:
        create_user(session, settings.admin_email, password, role="admin")
    except Conflict:
        return  # another server that started at the same moment was first


def read_password(path: Path) -> str:
    """Read a password from a file's first line; ConfigurationError when that cannot be done."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The password file {path} cannot be read.") from error
    if not lines or not lines[0]:
        raise ConfigurationError(f"The password file {path} is empty.")
    return lines[0]


def _new_link(session: Session) -> str:
    stale = (OneTimeLink.purpose == PURPOSE, OneTimeLink.expires_at < utc_now())
    session.execute(delete(OneTimeLink).where(*stale))
    token = new_opaque()
    session.add(OneTimeLink(purpose=PURPOSE, token_hash=digest(token), expires_at=utc_now() + LIFETIME))
    session.flush()
    return token


def _usable(token: str) -> Select[OneTimeLink]:
    return select(OneTimeLink).where(
        OneTimeLink.purpose == PURPOSE,
        OneTimeLink.token_hash == digest(token),
        OneTimeLink.used_at.is_(None),
        OneTimeLink.expires_at > utc_now(),
    )
