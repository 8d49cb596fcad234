"""JSON of shares."""

from datetime import datetime

from pydantic import Field

from pynomaly.server.sharing.models import Access
from pynomaly.server.web.schema import Answer, Body


class ShareBody(Body):
    """Who is to have it, named in one of three ways, and what for."""

    email: str | None = Field(None, max_length=254, examples=["ada@example.org"])
    user_id: str | None = Field(None, max_length=36)
    everyone: bool = Field(False, description="Everyone with an account.")
    access: Access = Field(description="`view`: look at it. `use`: also train on it, or detect with it.")


class ShareAnswer(Answer):
    """Somebody who has it; everyone has neither id nor e-mail address."""

    user_id: str | None
    email: str | None
    name: str | None
    everyone: bool
    access: Access
    created_at: datetime


class ShareList(Answer):
    """A page of shares."""

    items: list[ShareAnswer]
    next_cursor: str | None
