"""What administrators do with accounts: list, make, change and delete them, end their sessions."""

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, Forbidden, NotFound
from pynomaly.server import paging
from pynomaly.server.access import require
from pynomaly.server.admin import belongings
from pynomaly.server.audit import record
from pynomaly.server.users import keys, logins, resets
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import Role
from pynomaly.server.users.service import checked_name

SORTS = paging.Sorts(
    User.id,
    {"created_at": User.created_at, "email": User.email, "name": User.name, "role": User.role},
)


def list_page(
    session: Session,
    actor: User,
    *,
    role: Role | None = None,
    active: bool | None = None,
    search: str = "",
    sort: str = "-created_at",
    cursor: str | None = None,
    limit: int = 50,
) -> paging.Page[User]:
    """List accounts: of a role, active or not, with `search` in the e-mail address or name."""
    require(actor, "users:read")
    query: Select[User] = select(User)
    if role is not None:
        query = query.where(User.role == role)
    if active is not None:
        query = query.where(User.active == active)
    if search:
        words = search.lower()
        query = query.where(
            or_(
                User.email.contains(words, autoescape=True),
                func.lower(User.name).contains(words, autoescape=True),
            )
        )
    return paging.page(session, query, SORTS, sort, cursor, limit)


def get(session: Session, actor: User, id_: str, *, lock: bool = False) -> User:
    """Return an account; NotFound when there is none with this id.

    `lock` keeps others from changing it until the commit, and all administrators, in one order: of two who
    demote each other at once, the second one waits, and then is the last.
    """
    require(actor, "users:read")
    if not paging.UUID.fullmatch(id_):
        raise NotFound("There is no user with this id.")
    if lock:
        session.scalars(_administrators().order_by(User.id).with_for_update()).all()
    user = session.get(User, id_, with_for_update=lock, populate_existing=lock)
    if user is None:
        raise NotFound("There is no user with this id.")
    return user


def require_person(by_key: bool, *roles: str) -> None:
    """Refuse an API key what would let whoever stole it become an administrator, or somebody else.

    Raises Forbidden when a key acts and an administrator's account is touched (`roles` are those concerned).
    """
    if by_key and (not roles or "admin" in roles):
        raise Forbidden("This needs a log-in: with an API key nobody becomes or touches an administrator.")


def change(
    session: Session,
    actor: User,
    user: User,
    *,
    name: str | None = None,
    role: Role | None = None,
    active: bool | None = None,
) -> None:
    """Change an account that `get` locked; disabling it ends its sessions too.

    Raises:
        BadAccount: the name cannot be used.
        Conflict: no active administrator would be left.
    """
    require(actor, "users:write")
    before = {"name": user.name, "role": user.role, "active": user.active}
    after = {
        "name": user.name if name is None else checked_name(name),
        "role": user.role if role is None else role,
        "active": user.active if active is None else active,
    }
    if after["role"] != "admin" or not after["active"]:
        _keep_an_administrator(session, user)
    changed = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    if not changed:
        return
    for key in changed:
        setattr(user, key, after[key])
    session.flush()
    if active is False:
        end_sessions(session, actor, user)
        resets.withdraw(session, user)
    record(session, actor, "user.change", user, **changed)


def end_sessions(session: Session, actor: User, user: User, *, api_keys: bool = False) -> None:
    """End all log-ins of an account, its API keys too when that is asked."""
    require(actor, "users:write")
    logins.revoke_all(session, actor, user)
    if api_keys:
        keys.revoke_all(session, actor, user)


def delete(session: Session, actor: User, user: User, *, transfer_to: str | None = None) -> None:
    """Delete an account that `get` locked; what it owns goes to `transfer_to`.

    Raises:
        Conflict: no active administrator would be left, or it owns things and nobody is to get them.
        BadValue: `transfer_to` is no other active account.
    """
    require(actor, "users:write")
    _keep_an_administrator(session, user)
    moved = belongings.transfer(session, user, transfer_to)
    record(session, actor, "user.delete", user, role=user.role, transferred_to=transfer_to, **moved)
    session.flush()
    session.delete(user)
    session.flush()


def _keep_an_administrator(session: Session, user: User) -> None:
    if user.role == "admin" and user.active and set(session.scalars(_administrators())) <= {user.id}:
        raise Conflict("This is the last active administrator: make another one first.")


def _administrators() -> Select[str]:
    return select(User.id).where(User.role == "admin", User.active)
