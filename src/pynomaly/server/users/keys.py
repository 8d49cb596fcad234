"""API keys: with which programs act for an account."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pynomaly.server.db import utc_now
from pynomaly.server.users.models import ApiKey, User
from pynomaly.server.users.tokens import digest

PREFIX = "pyn_"


def by_secret(session: Session, secret: str) -> tuple[User, ApiKey] | None:
    """Find the live key with this secret and its active account."""
    live = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > utc_now())
    query = select(User, ApiKey).join(ApiKey, ApiKey.user_id == User.id)
    row = session.execute(
        query.where(ApiKey.key_hash == digest(secret), ApiKey.revoked_at.is_(None), live, User.active)
    ).first()
    return None if row is None else (row[0], row[1])
