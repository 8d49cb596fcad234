"""REST routes of the audit log."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from pynomaly.server.admin import audit_log
from pynomaly.server.admin.schemas import AuditList
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import Cursor, DatabaseDep, Limit, SessionDep, Since, Until, may

router = APIRouter(prefix="/admin/audit-log", tags=["admin"], route_class=ApiRoute)
Reader = Annotated[User, may("audit:read")]
Word = Annotated[str | None, Query(max_length=64)]
Action = Annotated[
    str | None, Query(max_length=64, description='An action ("login.failed"), or its kind ("login").')
]
KINDS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
TEXT = {"schema": {"type": "string"}}
EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {"description": "All wanted entries, oldest first.", "content": dict.fromkeys(KINDS.values(), TEXT)}
}


def _filter(
    action: Action = None,
    actor_id: Word = None,
    target_kind: Word = None,
    target_id: Word = None,
    since: Since = None,
    until: Until = None,
) -> audit_log.Filter:
    return audit_log.Filter(action, actor_id, target_kind, target_id, since, until)


FilterDep = Annotated[audit_log.Filter, Depends(_filter)]


@router.get("")
def show(
    actor: Reader,
    session: SessionDep,
    wanted: FilterDep,
    sort: Literal["at", "-at"] = "-at",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> AuditList:
    """Read the audit log: every security-relevant or destructive act."""
    page = audit_log.list_page(session, actor, wanted, sort, cursor, limit)
    return AuditList.model_validate({"items": page.items, "next_cursor": page.next_cursor})


@router.get("/export", response_class=StreamingResponse, responses=EXPORTED)
def export(
    actor: Reader,
    database: DatabaseDep,
    wanted: FilterDep,
    format: Literal["csv", "ndjson"] = "csv",  # noqa: A002
) -> StreamingResponse:
    """Export all wanted entries, oldest first, as CSV or as one JSON object per line."""
    pieces = audit_log.export(database, actor, wanted, format)
    headers = {"Content-Disposition": f'attachment; filename="audit-log.{format}"'}
    return StreamingResponse(pieces, media_type=KINDS[format], headers=headers)
