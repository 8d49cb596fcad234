"""What an actor may see: their own things, an administrator everything. A viewer changes nothing."""

import re
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.base import ExecutableOption

from pynomaly.errors import Forbidden, NotFound
from pynomaly.server.users.models import User

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Owned(Protocol):
    """A row that belongs to a user."""

    @property
    def id(self) -> Any:
        """Its identifier."""

    @property
    def owner_id(self) -> Any:
        """Whose it is."""


T = TypeVar("T", bound=Owned)


def visible(actor: User, kind: type[T]) -> Select[T]:
    """Select the rows of a kind that the actor may see."""
    query = select(kind)
    owner: InstrumentedAttribute[str] = kind.owner_id  # type: ignore[assignment]
    return query if actor.role == "admin" else query.where(owner == actor.id)


def find(
    session: Session, actor: User, kind: type[T], id_: str, *options: ExecutableOption, lock: bool = False
) -> T:
    """Return one row that the actor may see; `lock` keeps others from changing it until the commit.

    Raises:
        NotFound: there is none with this id, or the actor may not see it (which is not told apart).
    """
    if _ID.fullmatch(id_):
        key: InstrumentedAttribute[str] = kind.id  # type: ignore[assignment]
        query = visible(actor, kind).where(key == id_).options(*options)
        if lock:
            query = query.with_for_update(of=kind).execution_options(populate_existing=True)
        if (row := session.scalars(query).one_or_none()) is not None:
            return row
    raise NotFound(f"There is no {kind.__name__.lower()} with this id, or you may not see it.")


def require_writer(actor: User) -> None:
    """Refuse an actor who may only look; raises Forbidden."""
    if actor.role == "viewer":
        raise Forbidden("Your account may look at things and not change them: ask an administrator.")
