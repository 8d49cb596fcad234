"""The page that shows an administrator a link for somebody's new password, once."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from pynomaly.errors import Conflict
from pynomaly.server.admin import service
from pynomaly.server.admin.pages import Administrator
from pynomaly.server.users import resets
from pynomaly.server.users.tokens import new_opaque
from pynomaly.server.web import forms
from pynomaly.server.web.deps import DatabaseDep, SettingsDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.idempotency import once
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)


@router.post("/admin/users/{id_}/password-reset")
def reset_password(
    request: Request,
    actor: Administrator,
    form: FormDep,
    database: DatabaseDep,
    settings: SettingsDep,
    id_: str,
) -> Response:
    """Make a link with which the account's owner chooses a new password; sent again, the form makes none."""
    token = forms.texts(form).get("once") or new_opaque()
    try:
        with once(database, actor.id, token, f"reset {id_}") as claim, database.session() as session:
            user = service.get(session, actor, id_, lock=True)
            path, expires_at = resets.issue(session, actor, user, resets.BY_ADMINISTRATOR)
            claim.carry_out(session, Response(status_code=201))
    except Conflict:
        return RedirectResponse(f"/admin/users/{id_}?done=no-link", 303)
    return render(
        request,
        "admin/reset_link.html",
        status=201,
        actor=actor,
        user=user,
        url=settings.public_url + path,
        expires_at=expires_at,
    )
