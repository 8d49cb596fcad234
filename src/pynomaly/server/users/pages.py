"""Pages for logging in and out, for making the first administrator, and for a forgotten password.

`users/login.html` gets `email` (as typed before), `error` (message or None), `note` (good news or None),
`next` (path to go to afterwards), `provider` (name of where one can sign in too, or None) and `kept` (a form
that came too late, or None), which `users/continue.html` offers to send after the log-in;
`users/setup.html` gets `token` (of the set-up link), `email` and `error`; `users/reset.html` gets `token` and
`error`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.errors import (
    BadAccount,
    BadCredentials,
    BadResetLink,
    BadSetupLink,
    Busy,
    PynomalyError,
    TooManyAttempts,
)
from pynomaly.server.db import Database
from pynomaly.server.users import first, logins, resets
from pynomaly.server.users.models import User
from pynomaly.server.users.service import authenticate
from pynomaly.server.web.cookies import (
    clear_session_cookie,
    local_path,
    session_cookie,
    set_session_cookie,
)
from pynomaly.server.web.deps import DatabaseDep, PasswordsDep, SessionDep, SettingsDep, client_address
from pynomaly.server.web.kept import MOST, unpack
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render
from pynomaly.settings import Settings

router = APIRouter(tags=["pages"])
Typed = Annotated[str, Form(max_length=1024)]


@router.get("/login")
def log_in_page(
    request: Request,
    settings: SettingsDep,
    next: str = "/",  # noqa: A002 - the parameter's public name
    reset: str = "",
) -> Response:
    """Show the log-in form; `reset` says that it follows a new password."""
    note = _("Your new password is set: log in with it.") if reset else None
    return _log_in_form(request, settings, note=note, next=local_path(next))


@router.post("/login")
async def log_in(
    request: Request,
    settings: SettingsDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    email: Typed,
    password: Typed,
    next: Annotated[str, Form(max_length=4096)] = "/",  # noqa: A002 - the field's public name
    kept: Annotated[str, Form(max_length=MOST)] = "",
) -> Response:
    """Log a person in and send them on, or show the form again.

    `kept` is a form that came when the session had ended; it is offered to be sent now.
    """
    target, form = local_path(next), unpack(kept)
    old, address = session_cookie(request, settings), client_address(request)
    try:
        cookie = await passwords.run(_log_in, database, settings, email, password, old, address)
    except (BadCredentials, TooManyAttempts, Busy) as error:
        return _log_in_form(
            request, settings, status=error.status, error=error.message, email=email, next=target, kept=form
        )
    if form is None:
        return _welcome(settings, cookie, target)
    page = render(request, "users/continue.html", email=email, kept=form)
    set_session_cookie(page, settings, cookie)
    return page


@router.post("/logout")
def log_out(request: Request, settings: SettingsDep, session: SessionDep) -> Response:
    """End the log-in of this browser, if there is one."""
    _forget(session, session_cookie(request, settings))
    response = RedirectResponse("/login", 303)
    clear_session_cookie(response, settings)
    return response


@router.get("/setup")
def set_up_page(request: Request, session: SessionDep, token: str = "") -> Response:
    """Show the form that makes the first administrator."""
    if not first.is_open(session, token):
        raise BadSetupLink
    return render(request, "users/setup.html", token=token, email="", error=None)


@router.post("/setup")
async def set_up(
    request: Request,
    settings: SettingsDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
    token: Typed,
    email: Typed,
    password: Typed,
) -> Response:
    """Make the first administrator and log them in, or show the form again."""
    address = client_address(request)
    try:
        cookie = await passwords.run(_set_up, database, settings, token, email, password, address)
    except (BadAccount, Busy) as error:
        return _again(request, error, "users/setup.html", email=email, token=token)
    return _welcome(settings, cookie, "/")


@router.get("/password-reset")
def reset_page(request: Request, session: SessionDep, token: str = "") -> Response:
    """Show the form that takes a new password."""
    if not resets.is_open(session, token):
        raise BadResetLink
    return render(request, "users/reset.html", token=token, error=None)


@router.post("/password-reset")
async def reset(
    request: Request, database: DatabaseDep, passwords: PasswordsDep, token: Typed, password: Typed
) -> Response:
    """Set the new password, or show the form again."""
    address = client_address(request)
    try:
        await passwords.run(resets.use, database, token, password, address=address)
    except (BadAccount, TooManyAttempts, Busy) as error:
        return _again(request, error, "users/reset.html", token=token)
    return RedirectResponse("/login?reset=1", 303)


def _log_in_form(request: Request, settings: Settings, **known: Any) -> Response:
    provider = settings.oidc_name if settings.oidc_issuer else None
    shown = {"email": "", "error": None, "note": None, "provider": provider, "kept": None} | known
    return render(request, "users/login.html", **shown)


def _log_in(database: Database, settings: Settings, email: str, password: str, old: str, address: str) -> str:
    user = authenticate(database, email, password, address=address)
    with database.session() as session:
        _forget(session, old)  # a cookie planted before the log-in is worth nothing after it
        return _open(session, settings, user, address)


def _set_up(
    database: Database, settings: Settings, token: str, email: str, password: str, address: str
) -> str:
    with database.session() as session:
        user = first.set_up(session, token, email, password)
        return _open(session, settings, user, address)


def _open(session: Session, settings: Settings, user: User, address: str) -> str:
    return logins.open_in_browser(session, user, days=settings.session_days, address=address)


def _forget(session: Session, cookie: str) -> None:
    found = logins.by_cookie(session, cookie)
    if found is not None:
        logins.end(session, *found)


def _welcome(settings: Settings, cookie: str, target: str) -> Response:
    response = RedirectResponse(target, 303)
    set_session_cookie(response, settings, cookie)
    return response


def _again(request: Request, error: PynomalyError, template: str, **typed: Any) -> Response:
    return render(request, template, status=error.status, error=error.message, **typed)
