"""REST routes of one's own sessions: every browser and client that is logged in."""

from typing import Annotated

from fastapi import APIRouter, Response

from pynomaly.server.users import logins
from pynomaly.server.users.models import Login, User
from pynomaly.server.users.schemas import SessionAnswer, SessionList
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.callers import Caller
from pynomaly.server.web.deps import CallerDep, Cursor, Limit, SessionDep, may

router = APIRouter(prefix="/auth/sessions", tags=["auth"], route_class=ApiRoute)
Owner = Annotated[User, may("account:write")]


@router.get("")
def show_all(
    actor: Annotated[User, may("account:read")],
    caller: CallerDep,
    session: SessionDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> SessionList:
    """List one's live sessions, newest first; `current` is the one that asks."""
    page = logins.list_page(session, actor, cursor, limit)
    items = [_present(caller, login) for login in page.items]
    return SessionList(items=items, next_cursor=page.next_cursor)


@router.delete("", status_code=204)
def end_others(actor: Owner, caller: CallerDep, session: SessionDep) -> Response:
    """End all one's sessions but this one."""
    assert caller.login is not None  # an API key does not have this permission
    logins.revoke_all(session, actor, actor, but=caller.login.id)
    return Response(status_code=204)


@router.delete("/{id}", status_code=204)
def end(actor: Owner, session: SessionDep, id: str) -> Response:  # noqa: A002
    """End one of one's sessions, at once."""
    logins.revoke_own(session, actor, id)
    return Response(status_code=204)


def _present(caller: Caller, login: Login) -> SessionAnswer:
    return SessionAnswer(
        id=login.id,
        kind="api" if login.cookie_hash is None else "browser",
        current=caller.login is not None and caller.login.id == login.id,
        address=login.address,
        user_agent=login.user_agent,
        created_at=login.created_at,
        last_used_at=login.last_used_at,
        expires_at=login.expires_at,
    )
