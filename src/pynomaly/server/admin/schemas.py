"""What administrators' routes take and give."""

from datetime import datetime
from typing import Any

from pydantic import Field

from pynomaly.server.users.permissions import Role
from pynomaly.server.users.schemas import Name, Password, UserAnswer
from pynomaly.server.web.schema import Answer, Body


class NewUser(Body):
    """The account that is wanted."""

    email: str = Field(max_length=254)
    name: Name = ""
    role: Role = "user"
    password: Password


class UserChange(Body):
    """What changes of an account; what is left out stays."""

    name: Name | None = None
    role: Role | None = None
    active: bool | None = Field(None, description="False: nobody gets in with it, and its sessions end.")


class UserList(Answer):
    """A page of accounts."""

    items: list[UserAnswer]
    next_cursor: str | None


class ResetLink(Answer):
    """A link that works once, with which the account's owner chooses a new password."""

    url: str
    expires_at: datetime


class AuditAnswer(Answer):
    """One act: who did what to what, when and from where."""

    id: str
    at: datetime
    action: str
    actor_id: str | None
    actor_email: str | None
    target_kind: str | None
    target_id: str | None
    target_name: str | None
    address: str
    request_id: str
    details: dict[str, Any]


class AuditList(Answer):
    """A page of the audit log."""

    items: list[AuditAnswer]
    next_cursor: str | None
