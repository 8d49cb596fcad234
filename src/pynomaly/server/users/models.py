"""The tables of people: accounts, log-ins, refresh tokens, API keys, one-time links, failed attempts."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from pynomaly.server.db import Base, Json, UTCDateTime, new_id, utc_now
from pynomaly.server.users.permissions import GRANTED, Permission, Role


class User(Base):
    """An account: every service takes one as its `actor` and shows it only what it may see."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role in ('admin', 'user', 'viewer')", name="role"),
        Index("ix_users_oidc_issuer", "oidc_issuer", "oidc_subject", unique=True),
        Index("ix_users_created_at", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """Lower case, without surrounding blanks."""
    name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[Role] = mapped_column(String(16), default="user")
    password_hash: Mapped[str] = mapped_column(String(255))
    """Empty: who signs in elsewhere (OpenID Connect) has no password here."""
    oidc_issuer: Mapped[str | None] = mapped_column(String(255))
    oidc_subject: Mapped[str | None] = mapped_column(String(255))
    """Who this is at that issuer."""
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, onupdate=utc_now)

    @property
    def is_admin(self) -> bool:
        """Whether this account sees and may change everything."""
        return self.role == "admin"

    @property
    def may_write(self) -> bool:
        """Whether this account may create, change and delete datasets, detectors and results."""
        return self.role != "viewer"

    @property
    def permissions(self) -> frozenset[Permission]:
        """What this account may do, to its own things and those shared with it."""
        return GRANTED[self.role]


class Login(Base):
    """One log-in of one person, in a browser or by the API; revoking it ends all that came from it."""

    __tablename__ = "logins"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    cookie_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256 of the browser's cookie; null for a log-in through the API."""
    address: Mapped[str] = mapped_column(String(64), default="")
    """Network address that logged in."""
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    """What the browser or client calls itself."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """To about a minute."""
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ApiKey(Base):
    """A key with which programs act for an account; only its hash is stored."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_user_id_created_at", "user_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    prefix: Mapped[str] = mapped_column(String(16))
    """The key's first characters, by which people tell keys apart."""
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(Json)
    """Permissions; the account's role bounds them at every use."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """To about a minute."""
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    rotated_to_id: Mapped[str | None] = mapped_column(String(36))
    """The key that takes this one's place."""


class RefreshToken(Base):
    """A single-use token that gives the next access token of a log-in; the log-in is its family."""

    __tablename__ = "refresh_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    login_id: Mapped[str] = mapped_column(ForeignKey("logins.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class OneTimeLink(Base):
    """A link that works once, such as the one that makes the first administrator."""

    __tablename__ = "one_time_links"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    purpose: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Whose password it resets; None: it belongs to nobody yet."""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class LoginAttempt(Base):
    """One attempt to log in that has not succeeded; enough of them make the next one wait."""

    __tablename__ = "login_attempts"
    __table_args__ = (
        Index("ix_login_attempts_account_at", "account", "at"),
        Index("ix_login_attempts_address_at", "address", "at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the e-mail address, which need not belong to an account."""
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)
