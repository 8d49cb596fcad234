"""Whether those who were let in may still be in: one query for all log-ins, one for all API keys."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pynomaly.server.db import utc_now
from pynomaly.server.users.models import ApiKey, Login, User


@dataclass(frozen=True, slots=True)
class Credential:
    """A log-in or an API key, by its id."""

    id: str
    is_key: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a live credential stands for, and until when it lasts (None: it does not end by itself)."""

    user: User
    expires_at: datetime | None


def live(session: Session, asked: Collection[Credential]) -> dict[Credential, Standing]:
    """Give the standing of each credential that is neither revoked nor expired, of an active account."""
    logins = {one.id for one in asked if not one.is_key}
    keys = {one.id for one in asked if one.is_key}
    found: dict[Credential, Standing] = {}
    if logins:
        ours = select(User, Login).join(Login, Login.user_id == User.id).where(Login.id.in_(logins))
        still = ours.where(Login.revoked_at.is_(None), Login.expires_at > utc_now(), User.active)
        for user, login in session.execute(still):
            found[Credential(login.id, False)] = Standing(user, login.expires_at)
    if keys:
        theirs = select(User, ApiKey).join(ApiKey, ApiKey.user_id == User.id).where(ApiKey.id.in_(keys))
        lasting = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > utc_now())
        for user, key in session.execute(theirs.where(ApiKey.revoked_at.is_(None), lasting, User.active)):
            found[Credential(key.id, True)] = Standing(user, key.expires_at)
    return found
