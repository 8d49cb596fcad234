"""REST routes of logging in and out."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from pynomaly.errors import BadRefreshToken
from pynomaly.server.db import Database
from pynomaly.server.users import logins
from pynomaly.server.users.models import Login, User
from pynomaly.server.users.schemas import Credentials, Refresh, Tokens, UserAnswer
from pynomaly.server.users.service import authenticate
from pynomaly.server.users.tokens import AccessTokens
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.deps import (
    CallerDep,
    DatabaseDep,
    PasswordsDep,
    SessionDep,
    SettingsDep,
    TokensDep,
    client_address,
    may,
)
from pynomaly.settings import Settings

router = APIRouter(prefix="/auth", tags=["auth"], route_class=ApiRoute)


@router.post("/login")
async def log_in(
    request: Request,
    body: Credentials,
    settings: SettingsDep,
    database: DatabaseDep,
    tokens: TokensDep,
    passwords: PasswordsDep,
) -> Tokens:
    """Exchange an e-mail address and a password for tokens."""
    address = client_address(request)
    login, refresh_token = await passwords.run(_log_in, database, settings, body, address)
    return _tokens(tokens, login, refresh_token)


@router.post("/refresh")
def refresh(body: Refresh, settings: SettingsDep, database: DatabaseDep, tokens: TokensDep) -> Tokens:
    """Exchange a refresh token for the next pair; using one twice ends the log-in it belongs to."""
    with database.session() as session:
        found = logins.rotate(session, body.refresh_token, days=settings.refresh_token_days)
    if found is None:  # raised after the commit: a copied token's log-in stays revoked
        raise BadRefreshToken
    return _tokens(tokens, *found)


@router.post("/logout", status_code=204)
def log_out(
    _actor: Annotated[User, may("account:write")], caller: CallerDep, session: SessionDep
) -> Response:
    """End this log-in: its access and refresh tokens are refused from now on."""
    assert caller.login is not None  # an API key does not have this permission
    logins.revoke(session, caller.login.id)
    return Response(status_code=204)


@router.get("/me", response_model=UserAnswer)
def me(actor: Annotated[User, may("account:read")]) -> User:
    """Tell who is asking."""
    return actor


def _log_in(database: Database, settings: Settings, body: Credentials, address: str) -> tuple[Login, str]:
    user = authenticate(database, body.email, body.password, address=address)
    with database.session() as session:
        return logins.open_through_api(session, user, days=settings.refresh_token_days, address=address)


def _tokens(tokens: AccessTokens, login: Login, refresh_token: str) -> Tokens:
    access_token = tokens.issue(login.user_id, login.id)
    return Tokens(access_token=access_token, expires_in=tokens.seconds, refresh_token=refresh_token)
