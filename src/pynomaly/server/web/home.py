"""The start page: recent results and datasets, or the first step."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pynomaly.server.datasets import service as datasets
from pynomaly.server.detections import service as detections
from pynomaly.server.detections.lines import lines
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

SHOWN = 8


@router.get("/")
def show(request: Request, actor: PageActor, session: SessionDep) -> HTMLResponse:
    """Show what happened last, and what to do next."""
    found, _ = detections.list_page(session, actor, limit=SHOWN)
    tables, _ = datasets.list_page(session, actor, limit=SHOWN)
    return render(request, "home.html", actor=actor, detections=lines(found), datasets=tables)
