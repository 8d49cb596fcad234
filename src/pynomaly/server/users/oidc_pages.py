"""Signing in elsewhere, in a browser: to the provider, and back."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from pynomaly.errors import NotFound, ProviderUnavailable, PynomalyError, SignInFailed
from pynomaly.server.audit import record
from pynomaly.server.db import Database
from pynomaly.server.users import attempts, logins, sign_in, throttle
from pynomaly.server.users.attempts import Attempt
from pynomaly.server.users.sign_in import Identity
from pynomaly.server.web import cookies
from pynomaly.server.web.deps import DatabaseDep, SettingsDep, client_address
from pynomaly.server.web.errors import respond
from pynomaly.settings import Settings

if TYPE_CHECKING:
    from pynomaly.server.users.oidc import Provider

router = APIRouter(tags=["pages"])
COOKIE = "pynomaly_sign_in"


@router.get("/oidc/login")
def begin(request: Request, settings: SettingsDep, next: str = "/") -> Response:  # noqa: A002 - the public name
    """Send a browser to the provider."""
    provider = _provider(request)
    attempt = attempts.begin(settings, cookies.local_path(next))
    with provider.turn():
        response = RedirectResponse(provider.address(attempt), 303)
    seconds = int(attempts.LIFETIME.total_seconds())
    cookies.set_cookie(response, settings, COOKIE, attempt.sealed(), seconds)
    return response


@router.get("/oidc/callback")
def come_back(request: Request, settings: SettingsDep, database: DatabaseDep) -> Response:
    """Log in whom the provider sends back, and send them on; the attempt is over, whatever comes of it."""
    _provider(request)
    response: Response
    try:
        attempt = attempts.opened(settings, cookies.cookie(request, settings, COOKIE))
        if attempt is None:
            raise SignInFailed("This sign-in was not begun in this browser, or took too long.")
        session_cookie = _log_in(request, settings, database, attempt)
        response = RedirectResponse(cookies.local_path(attempt.next), 303)
        cookies.set_session_cookie(response, settings, session_cookie)
    except (SignInFailed, ProviderUnavailable) as error:
        _note(database, error)
        response = respond(request, error)
    cookies.clear_cookie(response, settings, COOKIE)
    return response


def _log_in(request: Request, settings: Settings, database: Database, attempt: Attempt) -> str:
    address = client_address(request)
    with database.session() as session:
        throttle.begin(session, "", address, throttle.SIGN_IN)
    provider = _provider(request)
    with provider.turn():
        identity: Identity = provider.identity(attempt, dict(request.query_params))
    with database.session() as session:
        user = sign_in.account_of(session, identity, sign_in.rules_of(settings))
        old = logins.by_cookie(session, cookies.session_cookie(request, settings))
        if old is not None:  # a cookie planted before the log-in is worth nothing after it
            logins.end(session, *old)
        throttle.forgive(session, "", address, throttle.SIGN_IN)
        days = settings.session_days
        return logins.open_in_browser(session, user, days=days, address=address, through="oidc")


def _note(database: Database, error: PynomalyError) -> None:
    with database.session() as session:
        record(session, None, "login.failed", through="oidc", reason=error.message)


def _provider(request: Request) -> "Provider":
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise NotFound("No provider to sign in with is configured.")
    return provider
