"""Accounts: making them, and checking who somebody is."""

import re

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pynomaly.errors import BadAccount, BadCredentials, Conflict
from pynomaly.server.db import Database
from pynomaly.server.users import throttle
from pynomaly.server.users.models import User
from pynomaly.server.users.passwords import hash_password, is_right
from pynomaly.server.users.permissions import ROLES, Role

EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,189}")


def create_user(session: Session, email: str, password: str, *, name: str = "", role: Role = "user") -> User:
    """Make an account.

    The password is hashed before the first statement here, so that the 25 ms it takes hold no lock.

    Raises:
        BadAccount: the address, password, name or role cannot be used.
        Conflict: there is an account with this address.
    """
    email = checked_email(email)
    name = name.strip()
    if len(name) > 200 or not (name.isprintable()):
        raise BadAccount("The name must have at most 200 characters and no control characters.")
    if role not in ROLES:
        raise BadAccount(f"There is no role {role!r}: use {', '.join(ROLES)}.")
    user = User(email=email, name=name, role=role, password_hash=hash_password(password, email), active=True)
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise Conflict(f"There is an account for {email} already.") from error
    return user


def checked_email(email: str) -> str:
    """Return the address as it is stored: lower case, no blanks around it; BadAccount when it is none."""
    email = normalised_email(email)
    if not EMAIL.fullmatch(email) or not email.isprintable() or len(email) > 254:
        raise BadAccount("This is not an e-mail address.")
    return email


def normalised_email(email: str) -> str:
    """Return the address as it is looked up."""
    return email.strip().lower()


def has_users(session: Session) -> bool:
    """Tell whether anybody has an account."""
    return bool(session.scalar(select(exists().where(User.id.is_not(None)))))


def authenticate(database: Database, email: str, password: str, *, address: str = "") -> User:
    """Return the active account that has this address and password.

    It makes its own two transactions, with the slow check of the password between them: the attempt must
    stay counted when it fails, and no lock may be held meanwhile. An unknown address takes as long as a known
    one.

    Raises:
        BadCredentials: no active account has this address and password (which of these is not told).
        TooManyAttempts: too many attempts failed of late.
    """
    email = normalised_email(email)[:254]
    with database.session() as session:
        throttle.begin(session, email, address)
        user = session.scalars(select(User).where(User.email == email)).first()
    right = is_right(user.password_hash if user is not None else "", password)
    if user is None or not right or not user.active:
        raise BadCredentials
    with database.session() as session:
        throttle.forgive(session, email, address)
    return user
