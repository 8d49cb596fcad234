"""The pages of one's API keys: make one, replace one, revoke one. A secret is shown once, in an answer."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.errors import BadValue, Conflict, PynomalyError
from pynomaly.server.db import Database, utc_now
from pynomaly.server.users import keys
from pynomaly.server.users.models import ApiKey, User
from pynomaly.server.users.permissions import SCOPES
from pynomaly.server.users.tokens import new_opaque
from pynomaly.server.web import forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import DatabaseDep, PageCaller, SessionDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.idempotency import once
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

DAYS = {"30": 30, "90": 90, "365": 365, "never": None}
OVERLAPS = {"0": 0, "60": 60, "1440": 1440, "10080": 10_080}
USUAL = (
    "datasets:read",
    "datasets:write",
    "detectors:read",
    "detections:read",
    "detections:write",
    "jobs:read",
)
"""What a new key's form has ticked: upload tables, and find anomalies in them."""
Make = Callable[[Session], tuple[ApiKey, str]]


@router.get("/account/keys/new")
def ask(request: Request, caller: PageCaller) -> HTMLResponse:
    """Show the form of a new key."""
    return _form(request, caller.user, {"name": "", "days": "90", "once": new_opaque()}, USUAL)


@router.post("/account/keys/new")
def create(request: Request, caller: PageCaller, form: FormDep, database: DatabaseDep) -> Response:
    """Make a key and show its secret, this once; sent again, the form makes no other."""
    actor, typed, scopes = caller.user, forms.texts(form), forms.listed(form, "scope")
    try:
        if not scopes:
            raise BadValue(
                _("Choose at least one scope: a key without any can do nothing."), pointer="#/scopes"
            )
        days = DAYS[typed["days"]] if typed.get("days") in DAYS else 90
        end = None if days is None else utc_now() + timedelta(days=days)
        name = typed.get("name", "")
        make = partial(keys.create, actor=actor, name=name, scopes=scopes, expires_at=end)
        return _made(request, database, actor, typed.get("once") or new_opaque(), "key", make)
    except BadValue as problem:
        return _form(request, actor, typed, scopes, problem)
    except Conflict as problem:
        return _form(request, actor, typed | {"once": new_opaque()}, scopes, problem)


@router.get("/account/keys/{id_}/rotate")
def ask_rotation(request: Request, caller: PageCaller, session: SessionDep, id_: str) -> HTMLResponse:
    """Ask how long the old key is to work beside the new one."""
    return _rotation(request, caller.user, keys.get(session, caller.user, id_))


@router.post("/account/keys/{id_}/rotate")
def rotate(request: Request, caller: PageCaller, form: FormDep, database: DatabaseDep, id_: str) -> Response:
    """Make the key that takes another's place, and show its secret, this once."""
    actor, typed = caller.user, forms.texts(form)
    overlap = timedelta(minutes=OVERLAPS.get(typed.get("overlap", "0"), 0))
    try:
        make = partial(keys.rotate, actor=actor, id_=id_, overlap=overlap)
        return _made(request, database, actor, typed.get("once") or new_opaque(), f"rotate {id_}", make)
    except Conflict as problem:
        with database.session(write=False) as session:
            return _rotation(request, actor, keys.get(session, actor, id_), problem)


@router.post("/account/keys/{id_}/revoke")
def revoke(caller: PageCaller, session: SessionDep, id_: str) -> Response:
    """Refuse a key from now on."""
    keys.revoke(session, caller.user, id_)
    return RedirectResponse("/account?done=revoked#keys", 303)


def _made(
    request: Request, database: Database, actor: User, token: str, about: str, make: Make
) -> HTMLResponse:
    """Make a key and answer with its secret: the answer is never stored, and never given again."""
    with once(database, actor.id, token, about) as claim, database.session() as session:
        key, secret = make(session)
        claim.carry_out(session, Response(status_code=201))
    call = ApiCall(_("Try it"), "GET", "/auth/me", "client.me()")
    base = request.app.state.settings.public_url or str(request.base_url)
    return render(
        request,
        "users/key.html",
        status=201,
        actor=actor,
        key=key,
        secret=secret,
        command=call.curl(base).replace("$PYNOMALY_API_KEY", secret),
    )


def _form(
    request: Request,
    actor: User,
    typed: dict[str, str],
    scopes: Sequence[str],
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    pointer = str(problem.details.get("pointer", "")) if problem else ""
    field = "name" if pointer == "#/name" else "scope" if pointer.startswith("#/scopes") else ""
    return render(
        request,
        "users/key_form.html",
        status=problem.status if problem else 200,
        actor=actor,
        typed={"name": "", "days": "90", "once": ""} | typed,
        chosen=scopes,
        scopes=[scope for scope in SCOPES if scope in actor.permissions],
        error=problem.message if problem and not field else "",
        errors={field: problem.message} if problem and field else {},
        api_calls=[_api_call()],
    )


def _rotation(
    request: Request, actor: User, key: ApiKey, problem: PynomalyError | None = None
) -> HTMLResponse:
    call = ApiCall(
        _("Replace the key"),
        "POST",
        f"/auth/api-keys/{key.id}/rotate",
        f'client.api_keys.rotate("{key.id}", overlap_minutes=60)',
        json={"overlap_minutes": 60},
    )
    return render(
        request,
        "users/key_rotate.html",
        status=problem.status if problem else 200,
        actor=actor,
        key=key,
        once=new_opaque(),
        error=problem.message if problem else "",
        api_calls=[call],
    )


def _api_call() -> ApiCall:
    scopes = ["datasets:read", "detections:read"]
    return ApiCall(
        _("Make a key (this needs a log-in: a key makes no keys)"),
        "POST",
        "/auth/api-keys",
        f'client.api_keys.create("nightly import", {scopes}).key',
        json={"name": "nightly import", "scopes": scopes},
    )
