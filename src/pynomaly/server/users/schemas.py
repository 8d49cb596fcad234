"""What the API's routes of accounts take and give."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pynomaly.server.users.permissions import SCOPES, Permission, Role
from pynomaly.server.web.schema import Answer, Body, Moment

Password = Annotated[str, Field(max_length=1024)]
Name = Annotated[str, Field(max_length=200)]


class Credentials(Body):
    """Who wants to log in."""

    email: str = Field(max_length=254)
    password: Password


class Refresh(Body):
    """The refresh token of the last answer; it works once."""

    refresh_token: str = Field(max_length=200)


class Tokens(Answer):
    """What a client sends from now on (`access_token`), and how it gets the next one (`refresh_token`)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    """Seconds."""
    refresh_token: str


class UserAnswer(Answer):
    """An account, without its secrets."""

    id: str
    email: str
    name: str
    role: Role
    active: bool
    created_at: datetime
    updated_at: datetime


class Me(UserAnswer):
    """One's own account, and what may be asked for with these credentials."""

    permissions: list[Permission]


class Profile(Body):
    """What changes of one's own account; another e-mail address needs the present password."""

    name: Name | None = None
    email: str | None = Field(None, max_length=254)
    current_password: Password | None = None


class NewPassword(Body):
    """A new password, and the present one."""

    current_password: Password
    new_password: Password
    revoke_api_keys: bool = False


class ResetRequest(Body):
    """Whose password is forgotten."""

    email: str = Field(max_length=254)


class Reset(Body):
    """The token of a link, and the new password."""

    token: str = Field(max_length=200)
    new_password: Password
    revoke_api_keys: bool = False


class SessionAnswer(Answer):
    """One log-in: when and from where, and whether this request comes from it."""

    id: str
    kind: Literal["browser", "api"]
    current: bool
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime | None
    """To about a minute."""
    expires_at: datetime


class SessionList(Answer):
    """A page of log-ins."""

    items: list[SessionAnswer]
    next_cursor: str | None


class NewKey(Body):
    """The API key that is wanted."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: list[Permission] = Field(min_length=1, max_length=len(SCOPES))
    expires_at: Moment | None = Field(None, description="When it stops working; null: never.")


class Rotation(Body):
    """How a key is replaced."""

    overlap_minutes: int = Field(0, ge=0, le=10_080, description="How long the old key works beside the new.")
    expires_at: Moment | None = Field(
        None, description="When the new key stops working; null: after as long as the old one was made for."
    )


class KeyAnswer(Answer):
    """An API key, without its secret."""

    id: str
    name: str
    prefix: str
    """The key's first characters."""
    scopes: list[Permission]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """To about a minute."""
    revoked_at: datetime | None
    rotated_to_id: str | None
    """The key that takes this one's place."""


class NewKeyAnswer(KeyAnswer):
    """A new API key with its secret, which is shown this once."""

    key: str


class KeyList(Answer):
    """A page of API keys."""

    items: list[KeyAnswer]
    next_cursor: str | None


class ProviderAnswer(Answer):
    """Whether people can sign in elsewhere, and where that begins."""

    configured: bool
    name: str | None
    url: str | None
