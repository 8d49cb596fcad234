"""REST routes of what comes before and after reading a file: preview, import, validation report."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from pynomaly.server.datasets import imports
from pynomaly.server.datasets.api import Reader, Writer, line_of, shown
from pynomaly.server.datasets.report import as_csv, report
from pynomaly.server.datasets.schemas import (
    DatasetAnswer,
    DatasetLine,
    ImportBody,
    PreviewAnswer,
    ReportAnswer,
)
from pynomaly.server.jobs.answers import PREFER, Begun, StarterDep
from pynomaly.server.users.models import User
from pynomaly.server.web import downloads
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.deps import SessionDep
from pynomaly.server.web.idempotency import Idempotent

router = APIRouter(prefix="/datasets", tags=["datasets"], route_class=ApiRoute)
ReportForm = Literal["json", "csv"]


@router.get("/{id}/preview")
def show_preview(
    actor: Reader,
    session: SessionDep,
    id: str,  # noqa: A002
) -> PreviewAnswer:
    """See what the beginning of an uploaded file shows: dialect, columns, rows; 409 until it is seen."""
    dataset = imports.seen(session, actor, id)
    return PreviewAnswer.model_validate((dataset.preview or {}) | {"id": dataset.id})


@router.post(
    "/{id}/import",
    status_code=202,
    response_model=DatasetLine,
    responses={201: {"model": DatasetAnswer, "description": "It was read in the time that was waited."}},
    dependencies=[Idempotent],
)
async def start(
    actor: Writer,
    starter: StarterDep,
    id: str,  # noqa: A002
    body: ImportBody,
    _prefer: PREFER = None,
) -> Response:
    """Read a file that was uploaded with `preview`, or could not be read before, as is said now."""
    return await starter.run(partial(_start, actor, id, body), partial(shown, actor))


def _start(actor: User, id_: str, body: ImportBody, session: Session) -> Begun:
    dataset = imports.start(session, actor, id_, **body.wishes())
    return Begun(dataset.job_id, dataset.id, f"/datasets/{dataset.id}", line_of(dataset, "own"))


@router.get(
    "/{id}/report",
    response_model=ReportAnswer,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def show_report(
    actor: Reader,
    session: SessionDep,
    id: str,  # noqa: A002
    form: Annotated[ReportForm, Query(alias="format")] = "json",
) -> Response:
    """See each cell that could not be read (the first 1,000): line, column, value, reason, what to do."""
    found = report(session, actor, id)
    if form == "csv":
        return downloads.text(as_csv(found), f"{found.dataset.name} report.csv", "text/csv")
    answer = ReportAnswer(
        id=found.dataset.id,
        n_rows=found.dataset.n_rows,
        n_rejected=found.dataset.n_rejected,
        groups=found.groups,
        items=found.faults,
    )
    return Response(answer.model_dump_json(), media_type="application/json")
