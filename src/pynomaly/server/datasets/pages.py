"""The pages of datasets: the list, a dataset's profile, its rows."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.server.datasets import notices, service
from pynomaly.server.datasets.models import Dataset, DatasetStatus
from pynomaly.server.sharing.service import given_away, held
from pynomaly.server.users.models import User
from pynomaly.server.web import profile
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep, StorageDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

PER_PAGE = 50
COLUMNS_PER_PAGE = 40
SORTS = ("-created_at", "created_at", "name", "-name", "-n_rows", "n_rows", "-n_columns", "n_columns",
         "-size_bytes", "size_bytes")  # fmt: skip
DIALECT = ("format", "delimiter", "decimal", "encoding", "compression")
Text = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]


@router.get("/datasets")
def show_all(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    q: Text = "",
    status: DatasetStatus | str = "",
    sort: str = "-created_at",
    cursor: str | None = None,
) -> HTMLResponse:
    """List the datasets: searched, sorted, a page at a time."""
    sort = sort if sort in SORTS else SORTS[0]
    wanted: Any = status if status in ("uploaded", "processing", "ready", "failed") else None
    datasets, next_cursor = service.list_page(
        session, actor, cursor, PER_PAGE, sort, name=q.strip() or None, status=wanted
    )
    asked = {name: value for name, value in (("q", q.strip()), ("status", wanted)) if value}
    ordered = asked | ({"sort": sort} if sort != SORTS[0] else {})
    query = {"sort": sort} | ({"name": asked["q"]} if "q" in asked else {})
    given = "".join(f", {name}={value!r}" for name, value in query.items())
    return render(
        request,
        "datasets/list.html",
        actor=actor,
        datasets=datasets,
        access=held(session, actor, Dataset, datasets),
        shared=given_away(session, Dataset, datasets),
        owners=_owners(session, actor, datasets),
        q=q.strip(),
        wanted=wanted or "",
        sort=sort,
        asked=asked,
        ordered=ordered,
        cursor=cursor,
        next_cursor=next_cursor,
        api_calls=[
            ApiCall(
                _("List the datasets"),
                "GET",
                "/datasets",
                f"datasets = list(client.datasets.list({given.removeprefix(', ')}))",
                query=query,
            )
        ],
    )


def _owners(session: Session, actor: User, datasets: Sequence[Dataset]) -> dict[str, str]:
    """Tell whose the datasets of others are."""
    ids = {dataset.owner_id for dataset in datasets} - {actor.id}
    found = session.execute(select(User.id, User.email).where(User.id.in_(ids)))
    return {row.id: row.email for row in found}


@router.get("/datasets/{id_}")
def show(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    id_: str,
    q: Text = "",
    kind: Text = "",
    page: PageNumber = 1,
) -> Response:
    """Show one dataset: its profile, or how far it is read, or why it could not be."""
    dataset = service.get(session, actor, id_)
    if dataset.status == "uploaded":
        return RedirectResponse(f"/datasets/{dataset.id}/import", 303)
    known, whole = notices.of_dataset(dataset)
    shown = _chosen(dataset.profile or dataset.columns, known, q.strip(), kind)
    start = (page - 1) * COLUMNS_PER_PAGE
    return render(
        request,
        "datasets/detail.html",
        actor=actor,
        dataset=dataset,
        access=held(session, actor, Dataset, [dataset])[dataset.id],
        job=dataset.job,
        profile=profile.view(
            shown[start : start + COLUMNS_PER_PAGE], dataset.n_rows or 0, dataset.label_column, known
        ),
        n_used=sum(_is_used(dataset, column) for column in dataset.columns),
        n_notices=notices.count(list(known.values())),
        whole=whole,
        q=q.strip(),
        kind=kind,
        kinds=sorted({column["type"] for column in dataset.columns}),
        page=page,
        n_shown=len(shown),
        n_pages=-(-len(shown) // COLUMNS_PER_PAGE),
        dialect=dialect(dataset.dialect or {}),
        api_calls=_calls(dataset),
    )


def _is_used(dataset: Dataset, column: dict[str, Any]) -> bool:
    return column["unused"] is None and column["name"] != dataset.label_column


def _chosen(
    columns: Sequence[dict[str, Any]], known: dict[str, list[profile.Notice]], q: str, kind: str
) -> list[dict[str, Any]]:
    """Choose the columns with a text in their name, of a type, or with something to look at."""
    found = [column for column in columns if q.lower() in column["name"].lower()]
    if kind == "notices":
        return [column for column in found if known.get(column["name"])]
    return [column for column in found if not kind or column["type"] == kind]


def _calls(dataset: Dataset) -> list[ApiCall]:
    path, id_ = f"/datasets/{dataset.id}", dataset.id
    if dataset.status != "ready":
        return [ApiCall(_("See how it is"), "GET", path, f'client.datasets.get("{id_}")')]
    return [
        ApiCall(
            _("Measurements of each column"), "GET", f"{path}/profile", f'client.datasets.profile("{id_}")'
        ),
        ApiCall(_("What deserves a look"), "GET", f"{path}/quality", f'client.datasets.quality("{id_}")'),
        ApiCall(
            _("Download it as Parquet"),
            "GET",
            f"{path}/download",
            f'client.datasets.download("{id_}", "table.parquet", format="parquet")',
            query={"format": "parquet"},
            save="table.parquet",
        ),
    ]


@router.get("/datasets/{id_}/rows")
def show_rows(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    id_: str,
    cursor: str | None = None,
    page: PageNumber = 1,
) -> HTMLResponse:
    """Show a page of rows in file order; of a wide table some columns at a time."""
    dataset = service.get_ready(session, actor, id_, "view")
    start = min(page - 1, (len(dataset.columns) - 1) // COLUMNS_PER_PAGE) * COLUMNS_PER_PAGE
    columns = dataset.columns[start : start + COLUMNS_PER_PAGE]
    names = [column["name"] for column in columns]
    rows, next_cursor = service.rows(session, actor, storage, id_, cursor, columns=names)
    path = f"/datasets/{dataset.id}"
    return render(
        request,
        "datasets/rows.html",
        actor=actor,
        dataset=dataset,
        access=held(session, actor, Dataset, [dataset])[dataset.id],
        columns=columns,
        start=start,
        page=start // COLUMNS_PER_PAGE + 1,
        n_pages=-(-len(dataset.columns) // COLUMNS_PER_PAGE),
        rows=rows,
        cursor=cursor,
        next_cursor=next_cursor,
        api_calls=[
            ApiCall(
                _("Page through the rows"),
                "GET",
                f"{path}/rows",
                f'for row in client.datasets.rows("{dataset.id}"): print(row.row, row.values)',
                query={"limit": 50},
            )
        ],
    )


def dialect(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Name what was recognised in the file, in words."""
    titles = {
        "format": _("Format"),
        "delimiter": _("Delimiter"),
        "decimal": _("Decimal mark"),
        "encoding": _("Encoding"),
        "compression": _("Compression"),
    }
    return [(titles[key], mark(found[key])) for key in DIALECT if found.get(key)]


def mark(item: str) -> str:
    """Name a mark of a dialect."""
    named = {
        ",": _("comma"),
        ";": _("semicolon"),
        "\t": _("tab"),
        "|": _("bar"),
        " ": _("blank"),
        ".": _("point"),
        ":": _("colon"),
        "^": _("caret"),
        "~": _("tilde"),
        '"': _('double "'),
        "'": _("single '"),
    }
    return named.get(item, item)
