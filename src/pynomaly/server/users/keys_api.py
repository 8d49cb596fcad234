"""REST routes of one's own API keys."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from pynomaly.server.users import keys
from pynomaly.server.users.models import ApiKey, User
from pynomaly.server.users.schemas import KeyAnswer, KeyList, NewKey, NewKeyAnswer, Rotation
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import Cursor, Limit, SessionDep, may
from pynomaly.server.web.idempotency import IdempotentSecret
from pynomaly.server.web.tags import IF_MATCH, IF_NONE_MATCH, TagsDep

router = APIRouter(prefix="/auth/api-keys", tags=["auth"], route_class=ApiRoute)
Reader = Annotated[User, may("account:read")]
Owner = Annotated[User, may("account:write")]
Sort = Literal["created_at", "-created_at", "name", "-name"]


@router.get("")
def show_all(
    actor: Reader,
    session: SessionDep,
    live: Annotated[bool | None, Query(description="Only keys that work, or only those that ended.")] = None,
    sort: Sort = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> KeyList:
    """List one's API keys; of each only the first characters are known."""
    page = keys.list_page(session, actor, live=live, sort=sort, cursor=cursor, limit=limit)
    return KeyList.model_validate({"items": page.items, "next_cursor": page.next_cursor})


@router.post("", status_code=201, dependencies=[IdempotentSecret])
def create(actor: Owner, session: SessionDep, response: Response, body: NewKey) -> NewKeyAnswer:
    """Make an API key; `key`, the secret itself, is shown this once."""
    key, secret = keys.create(session, actor, body.name, body.scopes, body.expires_at)
    return _shown(response, key, secret)


@router.get("/{id}")
def show(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> KeyAnswer:
    """Look at one of one's API keys."""
    return tags.give(KeyAnswer.model_validate(keys.get(session, actor, id)))


@router.delete("/{id}", status_code=204)
def revoke(
    actor: Owner,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _if_match: IF_MATCH = None,
) -> Response:
    """Revoke an API key, at once; it stays in the list."""
    tags.require(KeyAnswer.model_validate(keys.get(session, actor, id, lock=True)))
    keys.revoke(session, actor, id)
    return Response(status_code=204)


@router.post("/{id}/rotate", status_code=201, dependencies=[IdempotentSecret])
def rotate(
    actor: Owner,
    session: SessionDep,
    response: Response,
    id: str,  # noqa: A002
    body: Rotation,
) -> NewKeyAnswer:
    """Make the key that takes another's place; the old one works on for `overlap_minutes`."""
    overlap = timedelta(minutes=body.overlap_minutes)
    key, secret = keys.rotate(session, actor, id, overlap=overlap, expires_at=body.expires_at)
    return _shown(response, key, secret)


def _shown(response: Response, key: ApiKey, secret: str) -> NewKeyAnswer:
    response.headers["Location"] = f"/api/v1{router.prefix}/{key.id}"
    return NewKeyAnswer(**KeyAnswer.model_validate(key).model_dump(), key=secret)
