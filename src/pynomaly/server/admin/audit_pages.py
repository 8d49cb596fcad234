"""The administrators' page of the audit log: who did what, filtered, in pages, exported."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.server.admin import audit_log
from pynomaly.server.admin.pages import Administrator
from pynomaly.server.users.models import User
from pynomaly.server.users.service import normalised_email
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import SessionDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

SHOWN = 50
KINDS = ("dataset", "detector", "detection", "user", "apikey", "login")
NOBODY = "-"
"""An identifier that no account has."""


@router.get("/admin/audit")
def show(
    request: Request,
    actor: Administrator,
    session: SessionDep,
    action: str = "",
    who: str = "",
    kind: str = "",
    target: str = "",
    since: str = "",
    until: str = "",
    cursor: str | None = None,
) -> HTMLResponse:
    """Show the entries that are wanted, newest first; `since` and `until` are days (UTC), both included."""
    typed = {"action": action, "who": who, "kind": kind, "target": target, "since": since, "until": until}
    typed = {name: value.strip().replace("\x00", "")[:254] for name, value in typed.items()}
    query = _query(session, typed)
    wanted = audit_log.Filter(
        action=query.get("action"),
        actor_id=query.get("actor_id"),
        target_kind=query.get("target_kind"),
        target_id=query.get("target_id"),
        since=_day(typed["since"]),
        until=_day(typed["until"], after=True),
    )
    page = audit_log.list_page(session, actor, wanted, cursor=cursor, limit=SHOWN)
    moments = {"since": wanted.since, "until": wanted.until}
    query |= {name: when.isoformat() for name, when in moments.items() if when is not None}
    return render(
        request,
        "admin/audit.html",
        actor=actor,
        entries=page.items,
        next_cursor=page.next_cursor,
        cursor=cursor,
        typed=typed,
        filtered=any(typed.values()),
        kinds=KINDS,
        query=query,
        unknown=query.get("actor_id") == NOBODY,
        api_calls=_api_calls(query),
    )


def _query(session: Session, typed: dict[str, str]) -> dict[str, str]:
    """What the API is asked with; an address that no account has finds nothing."""
    query = {"action": typed["action"], "target_kind": typed["kind"], "target_id": typed["target"]}
    if typed["who"]:
        email = normalised_email(typed["who"])
        query["actor_id"] = session.scalar(select(User.id).where(User.email == email)) or NOBODY
    return {name: value for name, value in query.items() if value}


def _day(text: str, *, after: bool = False) -> datetime | None:
    """The first moment of a day, or the first one after it; None when it is no day."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        return day + timedelta(days=1) if after else day
    except (ValueError, OverflowError):
        return None


def _api_calls(query: dict[str, str]) -> list[ApiCall]:
    given = ", ".join(f"{name}={value!r}" for name, value in query.items() if name not in ("since", "until"))
    line = f"for entry in client.audit_log.list({given}):\n    print(entry.at, entry.action)"
    export = f'client.audit_log.export("audit-log.csv"{", " + given if given else ""})'
    return [
        ApiCall(_("Read the audit log"), "GET", "/admin/audit-log", line, query=query),
        ApiCall(
            _("Export it"),
            "GET",
            "/admin/audit-log/export",
            export,
            query={"format": "csv", **query},
            save="audit-log.csv",
        ),
    ]
