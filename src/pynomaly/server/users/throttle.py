"""How many attempts at a password may fail; counted in the database, so that a restart forgets none."""

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


@dataclass(frozen=True)
class Act:
    """Something that is attempted; each act's attempts are counted by themselves."""

    mark: str
    words: str
    limits: tuple[Limit, ...] = LIMITS


LOG_IN = Act("", "to log in")
CONFIRM = Act("confirm:", "at the present password")
RESET = Act(
    "reset:",
    "to get a new password",
    (Limit(5, by_account=True, by_address=False), Limit(20, by_account=False, by_address=True)),
)
"""Asking for a link by e-mail: nobody's letter box is flooded."""
SIGN_IN = Act("oidc:", "to sign in", (Limit(50, by_account=False, by_address=True),))
USE_LINK = Act("link:", "to use a link", (Limit(50, by_account=False, by_address=True),))


def begin(session: Session, account: str, address: str, act: Act = LOG_IN) -> None:
    """Count an attempt before it is checked, so that attempts at the same moment cannot all slip through.

    Raises TooManyAttempts, with the seconds to wait in `details["retry_after"]`.
    """
    now = utc_now()
    who, where = _marked(act, account, address)
    for limit in act.limits:
        if wait := _wait(session, limit, who, where, now):
            raise TooManyAttempts(f"Too many attempts {act.words}: wait {wait} seconds.", retry_after=wait)
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))
    session.add(LoginAttempt(account=who, address=where, at=now))
    session.flush()


def is_locked(session: Session, account: str, address: str, act: Act = LOG_IN) -> bool:
    """Tell whether the next attempt would be refused."""
    who, where = _marked(act, account, address)
    return any(_wait(session, limit, who, where, utc_now()) for limit in act.limits)


def forgive(session: Session, account: str, address: str, act: Act = LOG_IN) -> None:
    """Forget the attempts on an account from an address: the right one has come."""
    who, where = _marked(act, account, address)
    here = (LoginAttempt.account == who, LoginAttempt.address == where)
    session.execute(delete(LoginAttempt).where(*here))


def hashed(account: str) -> str:
    """An e-mail address is kept hashed: what is typed into its field is not always one."""
    return hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()


def _wait(session: Session, limit: Limit, who: str, where: str, now: datetime) -> int:
    """Seconds until the limit allows another attempt; 0: it does."""
    since = LoginAttempt.at >= now - WINDOW
    counted = select(LoginAttempt.at).where(since, *limit.clauses(who, where))
    latest = counted.order_by(LoginAttempt.at.desc())
    oldest = session.scalars(latest.offset(limit.attempts - 1).limit(1)).first()
    return 0 if oldest is None else max(1, round((oldest + WINDOW - now).total_seconds()))


def _marked(act: Act, account: str, address: str) -> tuple[str, str]:
    return hashed(act.mark + account), (act.mark + address)[:64]
