"""What routes ask for: settings, storage, a transaction, and who is asking.

`SessionDep` commits before the answer is sent, so that no 201 is followed by a failed commit; it takes the
write lock only for methods that change something. Who is asking is found in a short transaction of its own,
so that a route that reads a long upload holds none. What does not touch the database is `async`: it costs no
thread. Every route of the API names its permission: `actor: Annotated[User, may("datasets:read")]`.
"""

from collections.abc import AsyncIterator, Callable
from functools import cache, partial
from typing import Annotated, Any

from anyio import CancelScope
from fastapi import Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from pynomaly.errors import Forbidden, Unauthenticated
from pynomaly.server.db import Database
from pynomaly.server.mail import Mail
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import ApiKey, Login, User
from pynomaly.server.users.permissions import Permission
from pynomaly.server.users.pool import PasswordPool
from pynomaly.server.users.tokens import AccessTokens
from pynomaly.server.web.body import UPLOAD_SLACK
from pynomaly.server.web.callers import Caller
from pynomaly.server.web.guard import BODY, SAFE_METHODS
from pynomaly.server.web.schema import Moment
from pynomaly.settings import MIB, Settings


async def get_settings(request: Request) -> Settings:
    """The settings that the application was made with."""
    return request.app.state.settings  # type: ignore[no-any-return]


async def get_database(request: Request) -> Database:
    """The application's database, for routes that make their own transactions."""
    return request.app.state.database  # type: ignore[no-any-return]


async def get_storage(request: Request) -> LocalStorage:
    """The application's stored files."""
    return request.app.state.storage  # type: ignore[no-any-return]


async def get_tokens(request: Request) -> AccessTokens:
    """The application's access tokens."""
    return request.app.state.tokens  # type: ignore[no-any-return]


async def get_passwords(request: Request) -> PasswordPool:
    """The application's threads for checking passwords."""
    return request.app.state.passwords  # type: ignore[no-any-return]


async def get_mail(request: Request) -> Mail:
    """The application's post box."""
    return request.app.state.mail  # type: ignore[no-any-return]


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
StorageDep = Annotated[LocalStorage, Depends(get_storage)]
TokensDep = Annotated[AccessTokens, Depends(get_tokens)]
PasswordsDep = Annotated[PasswordPool, Depends(get_passwords)]
MailDep = Annotated[Mail, Depends(get_mail)]


async def get_session(request: Request, database: DatabaseDep) -> AsyncIterator[Session]:
    """One transaction for the whole request, begun at its first statement.

    It ends in a thread, since a commit waits for the disk; only letting go of what was read from SQLite is
    quicker than the way to a thread.
    """
    writes = request.method not in SAFE_METHODS
    session = database.open_session(write=writes)
    try:
        yield session
        if writes:
            await _in_thread(partial(_commit, request, session))
        else:
            session.flush()  # nothing, or what the database refuses: no change is lost in silence
    finally:
        if writes or not database.is_sqlite:
            await _in_thread(session.close)
        else:
            session.close()


def _commit(request: Request, session: Session) -> None:
    mark_carried_out(request, session)
    session.commit()


def mark_carried_out(request: Request, session: Session) -> None:
    """Note in the effect's own transaction that a request with an `Idempotency-Key` has its effect."""
    if (claim := getattr(request.state, "idempotency", None)) is not None:
        claim.carry_out(session, getattr(request.state, "answer", None))


async def _in_thread(end: Callable[[], None]) -> None:
    with CancelScope(shield=True):  # a client that goes away must not leave a transaction open
        await run_in_threadpool(end)


SessionDep = Annotated[Session, Depends(get_session, scope="function")]


async def get_caller(request: Request) -> Caller:
    """Find out who is asking, and count the request; see `callers`.

    Cross-site requests with a cookie never get here: `guard` refuses them.
    """
    state = request.app.state
    try:
        caller: Caller = await state.callers.find(request)
    except Unauthenticated:
        state.rate_limits.charge_stranger(request)
        raise
    request.state.user_id = caller.user.id
    if caller.key is not None:
        state.last_used.note(ApiKey, caller.key.id)
    elif caller.login is not None:
        state.last_used.note(Login, caller.login.id)
    state.rate_limits.charge_caller(request, caller.key.id if caller.key is not None else caller.user.id)
    return caller


CallerDep = Annotated[Caller, Depends(get_caller)]


@cache
def may(permission: Permission) -> Any:
    """Let in who has a permission: `actor: Annotated[User, may("datasets:read")]`; 403 for others."""

    async def check(request: Request, caller: CallerDep) -> User:
        require_of(caller, permission)
        if (check_query := getattr(request.state, "check_query", None)) is not None:
            check_query()  # strangers hear 401 whatever they ask
        return caller.user

    check.permission = permission  # type: ignore[attr-defined]
    return Depends(check)


def require_of(caller: Caller, permission: Permission) -> None:
    """Let a caller pass who has a permission; Forbidden says whether the role or the key's scopes lack it."""
    if permission in caller.permissions:
        return
    if permission in caller.user.permissions:
        raise Forbidden(f"The API key does not have the scope {permission!r}.", permission=permission)
    raise Forbidden(
        f"Your role, {caller.user.role}, does not have the permission {permission!r}.",
        permission=permission,
    )


async def get_page_caller(caller: CallerDep) -> Caller:
    """Who is asking, and through which log-in. Pages are for log-ins, not for keys.

    Where an API client gets 401, a browser is sent to the log-in page (see `errors`).
    """
    if caller.login is None:
        raise Forbidden("API keys are for the API, not for pages.")
    return caller


PageCaller = Annotated[Caller, Depends(get_page_caller)]
"""For pages on which a viewer, too, may change something: their own account."""


async def get_page_actor(request: Request, caller: PageCaller) -> User:
    """The person who is asking; a viewer may only use safe methods."""
    if request.method not in SAFE_METHODS and not caller.user.may_write:
        raise Forbidden("A viewer may look at everything that is theirs, but change nothing.")
    return caller.user


PageActor = Annotated[User, Depends(get_page_actor)]


async def _allow_upload(request: Request, settings: SettingsDep) -> None:
    request.scope[BODY].limit = settings.max_upload_mib * MIB + UPLOAD_SLACK


AllowUpload = Depends(_allow_upload)
"""For routes that stream a file (`dependencies=[AllowUpload]`): a body may be larger than 1 MiB."""

Since = Annotated[Moment | None, Query(description="Only what was made at this moment or later.")]
Until = Annotated[Moment | None, Query(description="Only what was made before this moment.")]
Contains = Annotated[
    str | None,
    Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="Only with this in the name."),
]
Limit = Annotated[int, Query(ge=1, le=200, description="Most items on a page.")]
Cursor = Annotated[str | None, Query(max_length=4000, description="`next_cursor` of the page before.")]


def client_address(request: Request) -> str:
    """Network address of the client; a proxy's headers count only when the settings name the proxy."""
    return request.client.host if request.client else ""
