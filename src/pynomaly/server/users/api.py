"""REST routes of logging in and out, and of one's own account."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from pynomaly.errors import BadRefreshToken
from pynomaly.server.db import Database
from pynomaly.server.users import logins, reset_mail, resets, service
from pynomaly.server.users.models import Login, User
from pynomaly.server.users.schemas import (
    Credentials,
    Me,
    NewPassword,
    Profile,
    ProviderAnswer,
    Refresh,
    Reset,
    ResetRequest,
    Tokens,
    UserAnswer,
)
from pynomaly.server.users.tokens import AccessTokens
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.callers import Caller
from pynomaly.server.web.deps import (
    CallerDep,
    DatabaseDep,
    MailDep,
    PasswordsDep,
    SessionDep,
    SettingsDep,
    TokensDep,
    client_address,
    may,
)
from pynomaly.server.web.tags import IF_MATCH, IF_NONE_MATCH, Tags, TagsDep
from pynomaly.settings import Settings

router = APIRouter(prefix="/auth", tags=["auth"], route_class=ApiRoute)
Owner = Annotated[User, may("account:write")]


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
    """Exchange a refresh token for the next pair; using one twice ends the log-in it belongs to.

    For ten seconds the same token is answered again, with the same next token: an answer may get lost.
    """
    with database.session() as session:
        found = logins.rotate(session, body.refresh_token, days=settings.refresh_token_days)
    if found is None:  # raised after the commit: a copied token's log-in stays revoked
        raise BadRefreshToken
    return _tokens(tokens, *found)


@router.post("/logout", status_code=204)
def log_out(actor: Owner, caller: CallerDep, session: SessionDep) -> Response:
    """End this log-in: its access and refresh tokens are refused from now on."""
    assert caller.login is not None  # an API key does not have this permission
    logins.end(session, actor, caller.login)
    return Response(status_code=204)


@router.get("/me")
async def me(
    _actor: Annotated[User, may("account:read")],
    caller: CallerDep,
    tags: TagsDep,
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> Me:
    """Tell who is asking, and what these credentials may do."""
    return tags.give(_present(caller, caller.user))


@router.patch("/me")
async def change_me(
    request: Request,
    _actor: Owner,
    caller: CallerDep,
    body: Profile,
    database: DatabaseDep,
    passwords: PasswordsDep,
    tags: TagsDep,
    _if_match: IF_MATCH = None,
) -> Me:
    """Change one's name or e-mail address; a new address needs `current_password`."""
    return await passwords.run(_change_me, database, caller, body, tags, client_address(request))


@router.post("/password", status_code=204)
async def change_password(
    request: Request,
    _actor: Owner,
    caller: CallerDep,
    body: NewPassword,
    database: DatabaseDep,
    passwords: PasswordsDep,
) -> Response:
    """Change one's password: all other sessions end; API keys stay, unless `revoke_api_keys`."""
    await passwords.run(_change_password, database, caller, body, client_address(request))
    return Response(status_code=204)


@router.post("/password-reset/request", status_code=202, response_class=Response)
def request_reset(
    request: Request, body: ResetRequest, settings: SettingsDep, database: DatabaseDep, mail: MailDep
) -> Response:
    """Ask for a link by e-mail; the answer is the same whether there is an account, or mail, or not."""
    reset_mail.request(database, settings, mail, body.email, address=client_address(request))
    return Response(status_code=202)


@router.post("/password-reset", status_code=204)
async def reset_password(
    request: Request, body: Reset, database: DatabaseDep, passwords: PasswordsDep
) -> Response:
    """Choose a new password with the token of a link; every session of the account ends."""
    await passwords.run(
        resets.use,
        database,
        body.token,
        body.new_password,
        address=client_address(request),
        revoke_api_keys=body.revoke_api_keys,
    )
    return Response(status_code=204)


@router.get("/oidc")
async def provider(settings: SettingsDep, _fields: Fields = None) -> ProviderAnswer:
    """Tell whether people can sign in with an OpenID Connect provider, and where (in a browser)."""
    if not settings.oidc_issuer:
        return ProviderAnswer(configured=False, name=None, url=None)
    return ProviderAnswer(configured=True, name=settings.oidc_name, url=f"{settings.public_url}/oidc/login")


def _log_in(database: Database, settings: Settings, body: Credentials, address: str) -> tuple[Login, str]:
    user = service.authenticate(database, body.email, body.password, address=address)
    with database.session() as session:
        return logins.open_through_api(session, user, days=settings.refresh_token_days, address=address)


def _change_me(database: Database, caller: Caller, body: Profile, tags: Tags, address: str) -> Me:
    if body.email is not None and service.normalised_email(body.email) != caller.user.email:
        service.confirm(database, caller.user, body.current_password or "", address=address)
    with database.session() as session:
        user = service.locked(session, caller.user)
        tags.require(_present(caller, user))
        service.change_profile(session, user, name=body.name, email=body.email)
        return tags.give(_present(caller, user))


def _change_password(database: Database, caller: Caller, body: NewPassword, address: str) -> None:
    assert caller.login is not None  # an API key does not have this permission
    service.confirm(database, caller.user, body.current_password, address=address)
    service.change_password(
        database,
        caller.user,
        body.new_password,
        but_login=caller.login.id,
        revoke_api_keys=body.revoke_api_keys,
    )


def _present(caller: Caller, user: User) -> Me:
    account = UserAnswer.model_validate(user).model_dump()
    return Me(**account, permissions=sorted(caller.permissions))


def _tokens(tokens: AccessTokens, login: Login, refresh_token: str) -> Tokens:
    access_token = tokens.issue(login.user_id, login.id)
    return Tokens(access_token=access_token, expires_in=tokens.seconds, refresh_token=refresh_token)
