"""Administrators' pages of accounts: list, make, change, block, log out, delete them."""

import secrets
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.errors import BadAccount, BadValue, Conflict, PynomalyError
from pynomaly.server.admin import belongings, service
from pynomaly.server.admin.pages import Administrator
from pynomaly.server.db import Database
from pynomaly.server.users import resets
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import ROLES, Role
from pynomaly.server.users.service import create_user, normalised_email
from pynomaly.server.users.tokens import new_opaque
from pynomaly.server.web import forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import DatabaseDep, PasswordsDep, SessionDep, SettingsDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.idempotency import once
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render
from pynomaly.settings import Settings

router = APIRouter(include_in_schema=False)

SHOWN = 50
SORTS = ("-created_at", "created_at", "email", "-email", "name", "-name", "role", "-role")
STATES = {"active": True, "blocked": False}


@router.get("/admin/users")
def show_all(
    request: Request,
    actor: Administrator,
    session: SessionDep,
    q: str = "",
    role: str = "",
    state: str = "",
    sort: str = "-created_at",
    cursor: str | None = None,
    done: str = "",
) -> HTMLResponse:
    """List accounts, with `q` in their address or name."""
    kept = {
        "q": q.strip().replace("\x00", "")[:200],
        "role": role if role in ROLES else "",
        "state": state if state in STATES else "",
        "sort": sort if sort in SORTS else SORTS[0],
    }
    page = service.list_page(
        session,
        actor,
        role=_role(kept["role"]),
        active=STATES.get(kept["state"]),
        search=kept["q"],
        sort=kept["sort"],
        cursor=cursor,
        limit=SHOWN,
    )
    return render(
        request,
        "admin/users.html",
        actor=actor,
        users=page.items,
        next_cursor=page.next_cursor,
        cursor=cursor,
        kept=kept,
        roles=ROLES,
        done=done,
        api_calls=[_list_call(kept["q"], kept["role"])],
    )


@router.get("/admin/users/new")
def ask(request: Request, actor: Administrator) -> HTMLResponse:
    """Show the form of a new account."""
    return _form(request, actor, {"once": new_opaque()})


@router.post("/admin/users/new")
async def create(
    request: Request,
    actor: Administrator,
    form: FormDep,
    database: DatabaseDep,
    settings: SettingsDep,
    passwords: PasswordsDep,
) -> Response:
    """Make an account; its first password is chosen by its owner, by a link that is shown this once."""
    typed = forms.texts(form)
    try:
        return await passwords.run(_create, request, database, settings, actor, typed)
    except (BadAccount, Conflict) as problem:
        return _form(request, actor, typed | {"once": new_opaque()}, problem)


@router.get("/admin/users/{id_}")
def show(
    request: Request, actor: Administrator, session: SessionDep, id_: str, done: str = ""
) -> HTMLResponse:
    """Show one account, and what may be done with it."""
    return _page(request, session, actor, id_, done=done)


@router.post("/admin/users/{id_}")
def change(request: Request, actor: Administrator, session: SessionDep, form: FormDep, id_: str) -> Response:
    """Change an account's name and role."""
    typed = forms.texts(form)
    try:
        with session.begin_nested():
            user = service.get(session, actor, id_, lock=True)
            service.change(session, actor, user, name=typed.get("name"), role=_role(typed.get("role", "")))
    except (BadAccount, Conflict) as problem:
        return _page(request, session, actor, id_, problem, typed=typed)
    return RedirectResponse(f"/admin/users/{id_}?done=saved", 303)


@router.post("/admin/users/{id_}/{act}")
def act_on(
    request: Request,
    actor: Administrator,
    session: SessionDep,
    form: FormDep,
    id_: str,
    act: str,
) -> Response:
    """Block or unblock an account, end its sessions, or delete it."""
    try:
        with session.begin_nested():
            user = service.get(session, actor, id_, lock=True)
            if act in ("block", "unblock"):
                service.change(session, actor, user, active=act == "unblock")
            elif act == "end-sessions":
                service.end_sessions(session, actor, user, api_keys="api_keys" in form)
            elif act == "delete":
                service.delete(session, actor, user, transfer_to=_heir(session, forms.texts(form)))
                return RedirectResponse("/admin/users?done=deleted", 303)
            else:
                raise BadValue(_("There is no such act."))
    except (BadAccount, BadValue, Conflict) as problem:
        return _page(request, session, actor, id_, problem, typed=forms.texts(form))
    return RedirectResponse(f"/admin/users/{id_}?done={act}", 303)


def _create(
    request: Request, database: Database, settings: Settings, actor: User, typed: dict[str, str]
) -> Response:
    """The account gets a password that nobody knows, until its owner has chosen one."""
    token, unknown = typed.get("once") or new_opaque(), secrets.token_urlsafe(32)
    role = _role(typed.get("role", "")) or "user"
    with once(database, actor.id, token, "account") as claim, database.session() as session:
        name, email = typed.get("name", ""), typed.get("email", "")
        user = create_user(session, email, unknown, name=name, role=role, actor=actor)
        path, expires_at = resets.issue(session, actor, user, resets.BY_ADMINISTRATOR)
        claim.carry_out(session, Response(status_code=201))
    return _link(request, actor, user, settings.public_url + path, expires_at)


def _link(request: Request, actor: User, user: User, url: str, expires_at: Any) -> HTMLResponse:
    """Show a link for a new password, this once."""
    return render(
        request,
        "admin/reset_link.html",
        status=201,
        actor=actor,
        user=user,
        url=url,
        expires_at=expires_at,
    )


def _form(
    request: Request, actor: User, typed: dict[str, str], problem: PynomalyError | None = None
) -> HTMLResponse:
    field = str(problem.details.get("pointer", "")).removeprefix("#/") if problem else ""
    call = ApiCall(
        _("Make an account"),
        "POST",
        "/admin/users",
        'client.users.create("ada@example.org", "a long passphrase", role="user")',
        json={"email": "ada@example.org", "password": "a long passphrase", "role": "user"},
    )
    return render(
        request,
        "admin/user_form.html",
        status=problem.status if problem else 200,
        actor=actor,
        typed={"email": "", "name": "", "role": "user", "once": ""} | typed,
        roles=ROLES,
        error=problem.message if problem and not field else "",
        errors={field: problem.message} if problem and field else {},
        api_calls=[call],
    )


def _page(
    request: Request,
    session: Session,
    actor: User,
    id_: str,
    problem: PynomalyError | None = None,
    *,
    typed: dict[str, str] | None = None,
    done: str = "",
) -> HTMLResponse:
    user = service.get(session, actor, id_)
    field = str(problem.details.get("pointer", "")).removeprefix("#/") if problem else ""
    shown = {"name": user.name, "role": user.role, "heir": actor.email if actor.id != user.id else ""}
    return render(
        request,
        "admin/user.html",
        status=problem.status if problem else 200,
        actor=actor,
        user=user,
        owned=belongings.counts(session, user),
        roles=ROLES,
        typed=shown | (typed or {}),
        once=new_opaque(),
        done=done,
        error=problem.message if problem and not field else "",
        errors={field: problem.message} if problem and field else {},
        api_calls=_user_calls(id_),
    )


def _role(name: str) -> Role | None:
    return next((role for role in ROLES if role == name), None)


def _heir(session: Session, typed: dict[str, str]) -> str | None:
    """Find who is to get what a deleted account owned; raises BadValue when nobody is so called."""
    email = normalised_email(typed.get("heir", ""))
    if "transfer" not in typed or not email:
        return None
    found = session.scalar(select(User.id).where(User.email == email, User.active))
    if found is None:
        raise BadValue(_("There is no active account with this address."), pointer="#/heir")
    return found


def _list_call(words: str, role: str) -> ApiCall:
    query = {name: value for name, value in (("search", words), ("role", role)) if value}
    given = ", ".join(f"{name}={value!r}" for name, value in query.items())
    line = f"for user in client.users.list({given}):\n    print(user.email, user.role, user.active)"
    return ApiCall(_("List the accounts"), "GET", "/admin/users", line, query=query)


def _user_calls(id_: str) -> list[ApiCall]:
    path = f"/admin/users/{id_}"
    return [
        ApiCall(_("Look at the account"), "GET", path, f'client.users.get("{id_}")'),
        ApiCall(
            _("Change its role"),
            "PATCH",
            path,
            f'client.users.update("{id_}", role="viewer")',
            json={"role": "viewer"},
        ),
        ApiCall(
            _("Block it"),
            "PATCH",
            path,
            f'client.users.update("{id_}", active=False)',
            json={"active": False},
        ),
    ]
