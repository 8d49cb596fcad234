"""REST routes of shares, made once for each kind of thing that can be shared."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Query

from pynomaly.server.access import Owned
from pynomaly.server.sharing import service
from pynomaly.server.sharing.schemas import ShareAnswer, ShareBody, ShareList
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import Permission
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import Cursor, Limit, SessionDep, may

T = TypeVar("T", bound=Owned)


def shares_of(kind: type[T], read: Permission, write: Permission) -> APIRouter:
    """Make `GET|PUT|DELETE /{id}/shares` for the things of one kind."""
    router = APIRouter(prefix="/{id}/shares", route_class=ApiRoute)

    @router.get("")
    def show_shares(
        actor: Annotated[User, may(read)],
        session: SessionDep,
        id: str,  # noqa: A002
        limit: Limit = 50,
        cursor: Cursor = None,
        _fields: Fields = None,
    ) -> ShareList:
        """List who else may see or use it, oldest first; for its owner and administrators."""
        shares, next_cursor = service.list_page(session, actor, kind, id, cursor, limit)
        return ShareList.model_validate({"items": shares, "next_cursor": next_cursor})

    @router.put("")
    def share(
        actor: Annotated[User, may(write)],
        session: SessionDep,
        id: str,  # noqa: A002
        body: ShareBody,
    ) -> ShareAnswer:
        """Give it to one person or to everyone, or change what they may do with it."""
        return ShareAnswer.model_validate(service.give(session, actor, kind, id, **body.model_dump()))

    @router.delete("", status_code=204)
    def unshare(
        actor: Annotated[User, may(write)],
        session: SessionDep,
        id: str,  # noqa: A002
        user_id: Annotated[str | None, Query(max_length=36)] = None,
        everyone: bool = False,
    ) -> None:
        """Take it back from one person or from everyone; results that they made of it are theirs no more."""
        service.take_back(session, actor, kind, id, user_id=user_id, everyone=everyone)

    return router
