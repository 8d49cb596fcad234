"""REST routes of accounts, for administrators."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from pynomaly.server.admin import service
from pynomaly.server.admin.schemas import NewUser, ResetLink, UserChange, UserList
from pynomaly.server.db import Database
from pynomaly.server.users import resets
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import Role
from pynomaly.server.users.schemas import UserAnswer
from pynomaly.server.users.service import create_user
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import (
    CallerDep,
    Cursor,
    DatabaseDep,
    Limit,
    PasswordsDep,
    SessionDep,
    SettingsDep,
    mark_carried_out,
    may,
)
from pynomaly.server.web.idempotency import Idempotent, IdempotentSecret
from pynomaly.server.web.tags import IF_MATCH, IF_NONE_MATCH, TagsDep

router = APIRouter(prefix="/admin/users", tags=["admin"], route_class=ApiRoute)
Reader = Annotated[User, may("users:read")]
Writer = Annotated[User, may("users:write")]
Sort = Literal["created_at", "-created_at", "email", "-email", "name", "-name", "role", "-role"]
Search = Annotated[str, Query(max_length=200, description="A part of the e-mail address or name.")]
Heir = Annotated[str | None, Query(max_length=36, description="The account that gets what this one owns.")]
ApiKeys = Annotated[bool, Query(description="Revoke its API keys too.")]


@router.get("")
def show_all(
    actor: Reader,
    session: SessionDep,
    role: Role | None = None,
    active: bool | None = None,
    search: Search = "",
    sort: Sort = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> UserList:
    """List accounts."""
    page = service.list_page(
        session, actor, role=role, active=active, search=search, sort=sort, cursor=cursor, limit=limit
    )
    return UserList.model_validate({"items": page.items, "next_cursor": page.next_cursor})


@router.post("", status_code=201, dependencies=[Idempotent])
async def create(
    request: Request,
    actor: Writer,
    caller: CallerDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    response: Response,
    body: NewUser,
) -> UserAnswer:
    """Make an account."""
    service.require_person(caller.key is not None, body.role)
    user = await passwords.run(_create, request, database, actor, body)
    response.headers["Location"] = f"/api/v1{router.prefix}/{user.id}"
    return user


@router.get("/{id}")
def show(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> UserAnswer:
    """Look at one account."""
    return tags.give(UserAnswer.model_validate(service.get(session, actor, id)))


@router.patch("/{id}")
def change(
    actor: Writer,
    caller: CallerDep,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    body: UserChange,
    _if_match: IF_MATCH = None,
) -> UserAnswer:
    """Change an account's name or role, or disable it: both work at once."""
    user = service.get(session, actor, id, lock=True)
    service.require_person(caller.key is not None, user.role, body.role or user.role)
    tags.require(UserAnswer.model_validate(user))
    service.change(session, actor, user, name=body.name, role=body.role, active=body.active)
    return tags.give(UserAnswer.model_validate(user))


@router.delete("/{id}", status_code=204)
def delete(
    actor: Writer,
    caller: CallerDep,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    transfer_to: Heir = None,
    _if_match: IF_MATCH = None,
) -> Response:
    """Delete an account; one that owns datasets, detectors or results needs `transfer_to` (else 409)."""
    user = service.get(session, actor, id, lock=True)
    service.require_person(caller.key is not None, user.role)
    tags.require(UserAnswer.model_validate(user))
    service.delete(session, actor, user, transfer_to=transfer_to)
    return Response(status_code=204)


@router.delete("/{id}/sessions", status_code=204)
def end_sessions(
    actor: Writer,
    caller: CallerDep,
    session: SessionDep,
    id: str,  # noqa: A002
    api_keys: ApiKeys = False,
) -> Response:
    """End all sessions of an account, at once."""
    user = service.get(session, actor, id, lock=True)
    service.require_person(caller.key is not None, user.role)
    service.end_sessions(session, actor, user, api_keys=api_keys)
    return Response(status_code=204)


@router.post("/{id}/password-reset", status_code=201, dependencies=[IdempotentSecret])
def reset_password(
    actor: Writer,
    caller: CallerDep,
    session: SessionDep,
    settings: SettingsDep,
    id: str,  # noqa: A002
) -> ResetLink:
    """Make a link with which the account's owner chooses a new password; it works once, for a day."""
    service.require_person(caller.key is not None)
    user = service.get(session, actor, id, lock=True)
    path, expires_at = resets.issue(session, actor, user, resets.BY_ADMINISTRATOR)
    return ResetLink(url=settings.public_url + path, expires_at=expires_at)


def _create(request: Request, database: Database, actor: User, body: NewUser) -> UserAnswer:
    with database.session() as session:
        user = create_user(session, body.email, body.password, name=body.name, role=body.role, actor=actor)
        mark_carried_out(request, session)
        return UserAnswer.model_validate(user)
