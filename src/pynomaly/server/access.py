"""What an actor may see: their own things, and an administrator everything."""

import re
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Mapped, Session
from sqlalchemy.sql.base import ExecutableOption

from pynomaly.errors import NotFound

if TYPE_CHECKING:
    from pynomaly.server.users.models import User

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Owned(Protocol):
    """A row that belongs to a user."""

    id: Mapped[str]
    owner_id: Mapped[Any]


T = TypeVar("T", bound=Owned)


def visible(actor: "User", kind: type[T]) -> Select[tuple[T]]:
    """Select the rows of a kind that the actor may see."""
    query = select(kind)
    return query if actor.role == "admin" else query.where(kind.owner_id == actor.id)


def find(
    session: Session, actor: "User", kind: type[T], id_: str, *options: ExecutableOption, lock: bool = False
) -> T:
    """Return one row that the actor may see; `lock` keeps others from changing it until the commit.

    Raises:
        NotFound: there is none with this id, or the actor may not see it (which is not told apart).
    """
    query = visible(actor, kind).where(kind.id == id_).options(*options)
    if lock:
        query = query.with_for_update(of=kind).execution_options(populate_existing=True)
    row = session.scalars(query).one_or_none() if ID.fullmatch(id_) else None
    if row is None:
        noun = kind.__name__.lower()
        raise NotFound(f"There is no {noun} with this id, or you may not see it.")
    return row
