"""Accounts: making and changing them, and checking who somebody is."""

import re

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pynomaly.errors import BadAccount, BadCredentials, Conflict, NotFound, WrongPassword
from pynomaly.server.audit import record
from pynomaly.server.db import Database
from pynomaly.server.users import keys, resets, throttle
from pynomaly.server.users.models import User
from pynomaly.server.users.passwords import hash_password, is_right
from pynomaly.server.users.permissions import ROLES, Role

EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,189}")


def create_user(
    session: Session,
    email: str,
    password: str,
    *,
    name: str = "",
    role: Role = "user",
    actor: User | None = None,
) -> User:
    """Make an account.

    The password is hashed before the first statement here, so that the 25 ms it takes hold no lock.

    Raises:
        BadAccount: the address, password, name or role cannot be used.
        Conflict: there is an account with this address.
    """
    email = checked_email(email)
    name = checked_name(name)
    if role not in ROLES:
        raise BadAccount(f"There is no role {role!r}: use {', '.join(ROLES)}.", pointer="#/role")
    user = User(email=email, name=name, role=role, password_hash=hash_password(password, email), active=True)
    add_user(session, user, actor)
    return user


def add_user(session: Session, user: User, actor: User | None = None) -> None:
    """Store a new account; Conflict when there is one with its address."""
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise Conflict(f"There is an account for {user.email} already.") from error
    record(session, actor, "user.create", user, role=user.role)


def checked_email(email: str) -> str:
    """Return the address as it is stored: lower case, no blanks around it; BadAccount when it is none."""
    email = normalised_email(email)
    if not EMAIL.fullmatch(email) or not email.isprintable() or len(email) > 254:
        raise BadAccount("This is not an e-mail address.", pointer="#/email")
    return email


def normalised_email(email: str) -> str:
    """Return the address as it is looked up."""
    return email.strip().lower()


def checked_name(name: str) -> str:
    """Return a person's name as it is stored, which may be empty; BadAccount when it cannot be."""
    name = name.strip()
    if len(name) > 200 or not name.isprintable():
        raise BadAccount(
            "The name must have at most 200 characters and no control characters.", pointer="#/name"
        )
    return name


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
    with database.session() as session:
        if user is not None and right and user.active:
            throttle.forgive(session, email, address)
            return user
        _note_failure(session, user, email, address)
    raise BadCredentials


def _note_failure(session: Session, user: User | None, email: str, address: str) -> None:
    """Write it down; of the address that was typed only a hash, which tells attempts on it from others."""
    account = throttle.hashed(email)[:16]
    record(session, None, "login.failed", user, account=account)
    if throttle.is_locked(session, email, address):
        record(session, None, "login.locked", user, account=account)


def locked(session: Session, actor: User) -> User:
    """Read one's own account again, so that nobody else changes it until the commit.

    Raises NotFound when it was deleted or disabled meanwhile.
    """
    user = session.get(User, actor.id, with_for_update=True, populate_existing=True)
    if user is None or not user.active:
        raise NotFound("This account was deleted or disabled.")
    return user


def confirm(database: Database, actor: User, password: str, *, address: str = "") -> None:
    """Make sure that it is the account's owner who asks; takes its own transactions, as `authenticate` does.

    Raises:
        WrongPassword: the present password is another, or the account has none.
        TooManyAttempts: too many attempts failed of late.
    """
    with database.session() as session:
        throttle.begin(session, actor.id, address, throttle.CONFIRM)
    right = is_right(actor.password_hash, password)
    with database.session() as session:
        if right:
            throttle.forgive(session, actor.id, address, throttle.CONFIRM)
            return
        record(session, actor, "password.refused", actor)
    raise WrongPassword


def change_profile(
    session: Session, user: User, *, name: str | None = None, email: str | None = None
) -> None:
    """Change one's own name or address (`user` is locked, and has confirmed a change of the address).

    Raises:
        BadAccount: the name or address cannot be used.
        Conflict: another account has this address.
    """
    before = {"name": user.name, "email": user.email}
    user.name = user.name if name is None else checked_name(name)
    user.email = user.email if email is None else checked_email(email)
    changed = {key: [old, getattr(user, key)] for key, old in before.items() if getattr(user, key) != old}
    if not changed:
        return
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise Conflict(f"There is an account for {email} already.") from error
    if "email" in changed:
        resets.withdraw(session, user)  # they were sent to the old address
    record(session, user, "user.change", user, **changed)


def change_password(
    database: Database,
    actor: User,
    password: str,
    *,
    but_login: str | None = None,
    revoke_api_keys: bool = False,
) -> None:
    """Give a confirmed account a new password and end its other log-ins, its API keys too when that is asked.

    Raises:
        BadAccount: the password cannot be used.
        Conflict: it was changed meanwhile.
    """
    fresh = hash_password(password, actor.email, "new_password")
    with database.session() as session:
        user = locked(session, actor)
        if user.password_hash != actor.password_hash:
            raise Conflict("The password was changed meanwhile: log in again.")
        resets.set_password(session, user, fresh, actor=user, but_login=but_login)
        if revoke_api_keys:
            keys.revoke_all(session, user, user)
        record(session, user, "password.change", user)
