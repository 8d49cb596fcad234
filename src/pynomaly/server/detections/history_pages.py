"""The page of all results."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pynomaly.server.detections import service
from pynomaly.server.detections.lines import lines
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)


@router.get("/detections")
def show_all(
    request: Request, actor: PageActor, session: SessionDep, cursor: str | None = None
) -> HTMLResponse:
    """List the detections, newest first."""
    found, next_cursor = service.list_page(session, actor, cursor)
    return render(
        request,
        "detections/list.html",
        actor=actor,
        items=lines(found),
        cursor=cursor,
        next_cursor=next_cursor,
    )
