"""What the API's log-in routes take and give."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from pynomaly.server.users.permissions import Role
from pynomaly.server.web.schema import Answer, Body


class Credentials(Body):
    """Who wants to log in."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)


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
    created_at: datetime
