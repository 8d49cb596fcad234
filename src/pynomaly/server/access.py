"""What an actor may see and do: their own things, what is shared with them; an administrator everything."""

import re
from functools import lru_cache
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Select, String, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.base import ExecutableOption

from pynomaly.errors import Forbidden, NotFound
from pynomaly.server.sharing.models import Access
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import Permission

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Need = Literal["view", "use", "own"]
"""What somebody wants with a thing: look at it, work with it, or change, share and delete it."""


class Owned(Protocol):
    """A row that belongs to a user."""

    @property
    def id(self) -> Any:
        """Its identifier."""

    @property
    def owner_id(self) -> Any:
        """Whose it is."""

    @classmethod
    def open_to(cls, user_id: str | BindParameter[str], access: Access) -> ColumnElement[bool]:
        """Which rows this person may view, or use: their own and those shared with them."""


T = TypeVar("T", bound=Owned)


def visible(actor: User, kind: type[T], need: Need = "view") -> Select[T]:
    """Select the rows of a kind that the actor may see, use or own."""
    query = select(kind)
    return query if actor.is_admin else query.where(_reach(kind, actor.id, need))


def find(
    session: Session,
    actor: User,
    kind: type[T],
    id_: str,
    *options: ExecutableOption,
    lock: bool = False,
    need: Need = "view",
) -> T:
    """Return one row that the actor may see; `lock` keeps others from changing it until the commit.

    Raises:
        NotFound: there is none with this id, or the actor may not see it (which is not told apart).
        Forbidden: the actor may see it, but not use or change it.
    """
    what = kind.__name__.lower()
    if _ID.fullmatch(id_):
        named = {"actor_id": actor.id, "id_": id_}
        query = _statement(kind, need, actor.is_admin, lock, options)
        row: T | None = session.scalars(query, named).one_or_none()
        if row is not None:
            return row
        if need != "view" and session.scalars(_statement(kind, "view", actor.is_admin), named).first():
            asked = "change" if need == "own" else "use"
            raise Forbidden(f"You may look at this {what}, but not {asked} it: ask its owner.")
    raise NotFound(f"There is no {what} with this id, or you may not see it.")


@lru_cache(maxsize=500)
def _statement(
    kind: type[T],
    need: Need,
    everything: bool,
    lock: bool = False,
    options: tuple[ExecutableOption, ...] = (),
) -> Select[T]:
    """The query of `find`, made once: making it and its cache key takes longer than running it."""
    key: InstrumentedAttribute[str] = kind.id  # type: ignore[assignment]
    actor_id = bindparam("actor_id", type_=String)
    query = select(kind).where(key == bindparam("id_", type_=String)).options(*options)
    if not everything:
        query = query.where(_reach(kind, actor_id, need))
    if lock:
        query = query.with_for_update(of=kind).execution_options(populate_existing=True)
    return query


def _reach(kind: type[T], actor_id: str | BindParameter[str], need: Need) -> ColumnElement[bool]:
    owner: InstrumentedAttribute[str] = kind.owner_id  # type: ignore[assignment]
    return owner == actor_id if need == "own" else kind.open_to(actor_id, need)


def require(actor: User, permission: Permission) -> None:
    """Refuse an actor whose role does not have a permission; raises Forbidden."""
    if permission not in actor.permissions:
        raise Forbidden(f"Your role, {actor.role}, does not have the permission {permission!r}.")
