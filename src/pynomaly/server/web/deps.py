"""What routes ask for: settings, storage, a transaction, and who is asking.

`SessionDep` commits before the answer is sent, so that no 201 is followed by a failed commit; it takes the
write lock only for methods that change something. `ActorDep` makes its own short transaction, so that a
route that reads a long upload holds none. What does not touch the database is `async`: it costs no thread.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from anyio import CancelScope
from fastapi import Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from pynomaly.errors import Forbidden, Unauthenticated
from pynomaly.server.db import Database
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users import logins
from pynomaly.server.users.models import Login, Role, User
from pynomaly.server.users.pool import PasswordPool
from pynomaly.server.users.tokens import AccessTokens
from pynomaly.server.web.body import UPLOAD_SLACK
from pynomaly.server.web.cookies import session_cookie
from pynomaly.server.web.guard import BODY, SAFE_METHODS
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


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
StorageDep = Annotated[LocalStorage, Depends(get_storage)]
TokensDep = Annotated[AccessTokens, Depends(get_tokens)]
PasswordsDep = Annotated[PasswordPool, Depends(get_passwords)]


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
            await _in_thread(session.commit)
        else:
            session.flush()  # nothing, or what the database refuses: no change is lost in silence
    finally:
        if writes or not database.is_sqlite:
            await _in_thread(session.close)
        else:
            session.close()


async def _in_thread(end: Callable[[], None]) -> None:
    with CancelScope(shield=True):  # a client that goes away must not leave a transaction open
        await run_in_threadpool(end)


SessionDep = Annotated[Session, Depends(get_session, scope="function")]


@dataclass(frozen=True)
class Caller:
    """Who is asking, and through which log-in; both rows are detached from their session."""

    user: User
    login: Login


async def get_caller(
    request: Request, database: DatabaseDep, tokens: TokensDep, settings: SettingsDep
) -> Caller:
    """Find the live log-in behind the access token or, without one, the browser's cookie.

    It is looked up at every request, so that logging out or disabling an account works at once. SQLite finds
    it by key without waiting for any writer, sooner than a thread would begin.
    Cross-site requests with a cookie never get here: `guard` refuses them.
    """
    look = partial(_look_up, request, database, tokens, settings)
    found = look() if database.is_sqlite else await run_in_threadpool(look)
    if found is None:
        raise Unauthenticated
    request.state.user_id = found[0].id
    return Caller(*found)


def _look_up(
    request: Request, database: Database, tokens: AccessTokens, settings: Settings
) -> tuple[User, Login] | None:
    authorization = request.headers.get("authorization")
    with database.session(write=False) as session:
        if authorization is not None:
            return _by_token(session, tokens, authorization)
        return logins.by_cookie(session, session_cookie(request, settings))


def _by_token(session: Session, tokens: AccessTokens, authorization: str) -> tuple[User, Login] | None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Send the access token as 'Authorization: Bearer …'.")
    claims = tokens.read(token.strip())
    found = logins.by_id(session, claims.login_id)
    return found if found is not None and found[0].id == claims.user_id else None


CallerDep = Annotated[Caller, Depends(get_caller)]


async def get_actor(request: Request, caller: CallerDep) -> User:
    """The person who is asking; a viewer may only use safe methods."""
    if request.method not in SAFE_METHODS and not caller.user.may_write:
        raise Forbidden("A viewer may look at everything that is theirs, but change nothing.")
    return caller.user


ActorDep = Annotated[User, Depends(get_actor)]
PageActor = ActorDep
"""For pages: where an API client gets 401, a browser is sent to the log-in page (see `errors`)."""


def require_role(*roles: Role) -> Any:
    """Let only some roles in: `Annotated[User, require_role("admin")]`, or among a route's `dependencies`."""

    async def check(actor: ActorDep) -> User:
        if actor.role not in roles:
            raise Forbidden(f"Only {' or '.join(roles)} may do this.")
        return actor

    return Depends(check)


async def _allow_upload(request: Request, settings: SettingsDep) -> None:
    request.scope[BODY].limit = settings.max_upload_mib * MIB + UPLOAD_SLACK


AllowUpload = Depends(_allow_upload)
"""For routes that stream a file (`dependencies=[AllowUpload]`): a body may be larger than 1 MiB."""

Limit = Annotated[int, Query(ge=1, le=200, description="Most items on a page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]


def client_address(request: Request) -> str:
    """Network address of the client; a proxy's headers count only when the settings name the proxy."""
    return request.client.host if request.client else ""
