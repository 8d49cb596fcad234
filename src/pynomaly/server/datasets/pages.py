"""The pages of datasets: list, upload, profile with rejected cells, rows."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pynomaly.server.datasets import service
from pynomaly.server.web import profile
from pynomaly.server.web.deps import PageActor, SessionDep, StorageDep
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

DIALECT = {"format": "Format", "delimiter": "Delimiter", "decimal": "Decimal mark", "encoding": "Encoding"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank", ".": "point"}


@router.get("/datasets")
def show_all(
    request: Request, actor: PageActor, session: SessionDep, cursor: str | None = None
) -> HTMLResponse:
    """List the datasets, newest first."""
    datasets, next_cursor = service.list_page(session, actor, cursor)
    return render(
        request,
        "datasets/list.html",
        actor=actor,
        datasets=datasets,
        cursor=cursor,
        next_cursor=next_cursor,
    )


@router.get("/datasets/{id_}")
def show(request: Request, actor: PageActor, session: SessionDep, id_: str) -> HTMLResponse:
    """Show one dataset: its profile, or how far it is read, or why it could not be."""
    dataset = service.get(session, actor, id_)
    return render(
        request,
        "datasets/detail.html",
        actor=actor,
        dataset=dataset,
        job=dataset.job,
        profile=profile.view(dataset.profile or [], dataset.n_rows or 0),
        rejects=dataset.rejects or [],
        dialect=_dialect(dataset.dialect or {}),
    )


@router.get("/datasets/{id_}/rows")
def show_rows(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    id_: str,
    cursor: str | None = None,
) -> HTMLResponse:
    """Show a page of rows in file order."""
    dataset = service.get_ready(session, actor, id_)
    rows, next_cursor = service.rows(session, actor, storage, id_, cursor)
    return render(
        request,
        "datasets/rows.html",
        actor=actor,
        dataset=dataset,
        rows=rows,
        cursor=cursor,
        next_cursor=next_cursor,
    )


def _dialect(dialect: dict[str, Any]) -> list[tuple[str, str]]:
    """Name what was recognised in the file, in words."""
    found = [(title, dialect.get(key)) for key, title in DIALECT.items()]
    return [(title, DELIMITERS.get(item, str(item))) for title, item in found if item]
