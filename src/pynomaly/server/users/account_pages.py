"""The pages of one's own account: profile, password, sessions, appearance. Viewers have them too."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.errors import BadAccount, Conflict, PynomalyError, TooManyAttempts, WrongPassword
from pynomaly.server.db import Database
from pynomaly.server.users import keys, logins, service
from pynomaly.server.users.devices import device
from pynomaly.server.users.models import User
from pynomaly.server.web import forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.callers import Caller
from pynomaly.server.web.deps import DatabaseDep, PageCaller, PasswordsDep, SessionDep, client_address
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

REFUSED = (BadAccount, Conflict, TooManyAttempts, WrongPassword)
"""What shows a form again."""
KEYS_SHOWN = 100
ENDED_SHOWN = 20


@router.get("/account")
def show(
    request: Request, caller: PageCaller, session: SessionDep, cursor: str | None = None, done: str = ""
) -> HTMLResponse:
    """Show one's account; `done` names what was just changed, `cursor` a page of the sessions."""
    return _page(request, session, caller, cursor=cursor, done=done)


@router.post("/account/profile")
async def change_profile(
    request: Request,
    caller: PageCaller,
    form: FormDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
) -> Response:
    """Change one's name, or with the password one's e-mail address."""
    typed = forms.texts(form)
    try:
        await passwords.run(_change_profile, database, caller.user, typed, client_address(request))
    except REFUSED as problem:
        return await passwords.run(_again, request, database, caller, "profile", problem, typed)
    return RedirectResponse("/account?done=profile", 303)


@router.post("/account/password")
async def change_password(
    request: Request,
    caller: PageCaller,
    form: FormDep,
    database: DatabaseDep,
    passwords: PasswordsDep,
) -> Response:
    """Change one's password; all other sessions end."""
    typed = forms.texts(form)
    try:
        await passwords.run(_change_password, database, caller, typed, client_address(request))
    except REFUSED as problem:
        return await passwords.run(_again, request, database, caller, "password", problem, typed)
    return RedirectResponse("/account?done=password", 303)


@router.post("/account/sessions/end-others")
def end_others(caller: PageCaller, session: SessionDep) -> Response:
    """End all one's sessions but this one."""
    assert caller.login is not None  # pages are for log-ins
    logins.revoke_all(session, caller.user, caller.user, but=caller.login.id)
    return RedirectResponse("/account?done=sessions#sessions", 303)


@router.post("/account/sessions/{id_}/end")
def end(caller: PageCaller, session: SessionDep, id_: str) -> Response:
    """End one of one's sessions, at once."""
    logins.revoke_own(session, caller.user, id_)
    return RedirectResponse("/account?done=session#sessions", 303)


def _change_profile(database: Database, actor: User, typed: dict[str, str], address: str) -> None:
    email = typed.get("email", actor.email)
    if service.normalised_email(email) != actor.email and actor.password_hash:
        service.confirm(database, actor, typed.get("confirm_password", ""), address=address)
    else:
        email = actor.email
    with database.session() as session:
        user = service.locked(session, actor)
        service.change_profile(session, user, name=typed.get("name", ""), email=email)


def _change_password(database: Database, caller: Caller, typed: dict[str, str], address: str) -> None:
    assert caller.login is not None  # pages are for log-ins
    service.confirm(database, caller.user, typed.get("current_password", ""), address=address)
    service.change_password(
        database,
        caller.user,
        typed.get("new_password", ""),
        but_login=caller.login.id,
        revoke_api_keys="revoke_api_keys" in typed,
    )


def _again(
    request: Request,
    database: Database,
    caller: Caller,
    form: str,
    problem: PynomalyError,
    typed: dict[str, str],
) -> HTMLResponse:
    """Show the page with what is wrong beside the form, which holds what was typed, but no password."""
    field = str(problem.details.get("pointer", "")).removeprefix("#/")
    if isinstance(problem, WrongPassword):
        field = "current_password" if form == "password" else "confirm_password"
    errors = {field: problem.message} if field else {}
    with database.session(write=False) as session:
        return _page(
            request,
            session,
            caller,
            status=422 if isinstance(problem, WrongPassword) else problem.status,
            typed=typed if form == "profile" else {},
            error={form: "" if field else problem.message},
            errors=errors,
        )


def _page(
    request: Request,
    session: Session,
    caller: Caller,
    *,
    status: int = 200,
    cursor: str | None = None,
    done: str = "",
    **problem: Any,
) -> HTMLResponse:
    actor = caller.user
    sessions = logins.list_page(session, actor, cursor)
    live = keys.list_page(session, actor, live=True, limit=KEYS_SHOWN).items
    ended = keys.list_page(session, actor, live=False, limit=ENDED_SHOWN).items
    return render(
        request,
        "users/account.html",
        status=status,
        actor=actor,
        sessions=[(login, device(login.user_agent)) for login in sessions.items],
        current=caller.login.id if caller.login is not None else "",
        cursor=cursor,
        next_cursor=sessions.next_cursor,
        keys=live,
        ended=ended,
        done=done,
        api_calls=_api_calls(),
        **{"typed": {}, "error": {}, "errors": {}} | problem,
    )


def _api_calls() -> list[ApiCall]:
    return [
        ApiCall(_("Who am I, and what may I do?"), "GET", "/auth/me", "client.me()"),
        ApiCall(
            _("List the sessions"),
            "GET",
            "/auth/sessions",
            "for session in client.account.sessions():\n    print(session.user_agent, session.last_used_at)",
        ),
        ApiCall(
            _("List the API keys"),
            "GET",
            "/auth/api-keys",
            "for key in client.api_keys.list(live=True):\n    print(key.name, key.prefix, key.expires_at)",
            query={"live": "true"},
        ),
    ]
