"""How many attempts to log in may fail; counted in the database, so that a restart forgets none."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from pynomaly.errors import TooManyAttempts
from pynomaly.server.db import utc_now
from pynomaly.server.users.models import LoginAttempt

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Limit:
    """At most `attempts` failures in the window, for one account, one address, or both together."""

    attempts: int
    by_account: bool
    by_address: bool

    def clauses(self, account: str, address: str) -> Iterable[ColumnElement[bool]]:
        """What the attempts that count have in common."""
        if self.by_account:
            yield LoginAttempt.account == account
        if self.by_address:
            yield LoginAttempt.address == address


LIMITS = (
    Limit(10, by_account=True, by_address=True),
    Limit(50, by_account=False, by_address=True),
    Limit(100, by_account=True, by_address=False),
)
"""A stranger elsewhere needs a hundred attempts per window to lock an account's owner out."""


def begin(session: Session, email: str, address: str) -> None:
    """Count an attempt before it is checked, so that attempts at the same moment cannot all slip through.

    Raises TooManyAttempts, with the seconds to wait in `details["retry_after"]`.
    """
    now = utc_now()
    account = _account(email)
    for limit in LIMITS:
        _refuse_above(session, limit, account, address, now)
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))
    session.add(LoginAttempt(account=account, address=address, at=now))
    session.flush()


def forgive(session: Session, email: str, address: str) -> None:
    """Forget the attempts of an account from an address: it has logged in."""
    here = (LoginAttempt.account == _account(email), LoginAttempt.address == address)
    session.execute(delete(LoginAttempt).where(*here))


def _refuse_above(session: Session, limit: Limit, account: str, address: str, now: datetime) -> None:
    since = LoginAttempt.at >= now - WINDOW
    counted = select(LoginAttempt.at).where(since, *limit.clauses(account, address))
    latest = counted.order_by(LoginAttempt.at.desc())
    oldest = session.scalars(latest.offset(limit.attempts - 1).limit(1)).first()
    if oldest is not None:
        wait = max(1, round((oldest + WINDOW - now).total_seconds()))
        raise TooManyAttempts(f"Too many attempts to log in: wait {wait} seconds.", retry_after=wait)


def _account(email: str) -> str:
    """The address is hashed: what is typed into this field is not always an e-mail address."""
    return hashlib.sha256(email.encode("utf-8", "surrogatepass")).hexdigest()
