"""The pages about a dataset: validation report, what was made of it, sharing, changing, deleting."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, InputError, PynomalyError
from pynomaly.server.datasets import changes, service
from pynomaly.server.datasets.checks import CHOSEN_TYPES
from pynomaly.server.datasets.dependents import ResultsDep
from pynomaly.server.datasets.import_pages import SHOWN_COLUMNS, type_name
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.pages import PageNumber
from pynomaly.server.datasets.report import as_csv, report
from pynomaly.server.datasets.results import Lineage
from pynomaly.server.sharing import service as sharing
from pynomaly.server.users.models import User
from pynomaly.server.web import downloads
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep, StorageDep
from pynomaly.server.web.forms import FormDep, texts
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

FAULTS_PER_PAGE = 100


@router.get("/datasets/{id_}/report")
def show_report(
    request: Request, actor: PageActor, session: SessionDep, id_: str, page: PageNumber = 1
) -> HTMLResponse:
    """Show which cells could not be read: by column and reason first, then one by one."""
    found = report(session, actor, id_)
    start = (page - 1) * FAULTS_PER_PAGE
    path = f"/datasets/{found.dataset.id}"
    return render(
        request,
        "datasets/report.html",
        actor=actor,
        dataset=found.dataset,
        access=_access(session, actor, found.dataset),
        groups=found.groups,
        faults=found.faults[start : start + FAULTS_PER_PAGE],
        n_faults=len(found.faults),
        page=page,
        n_pages=-(-len(found.faults) // FAULTS_PER_PAGE),
        api_calls=[
            ApiCall(_("The validation report"), "GET", f"{path}/report", f'client.datasets.report("{id_}")')
        ],
    )


@router.get("/datasets/{id_}/report.csv")
def download_report(actor: PageActor, session: SessionDep, id_: str) -> Response:
    """Download the report as a table."""
    found = report(session, actor, id_)
    return downloads.text(as_csv(found), f"{found.dataset.name} report.csv", "text/csv")


@router.get("/datasets/{id_}/uses")
def show_uses(
    request: Request, actor: PageActor, session: SessionDep, results: ResultsDep, id_: str
) -> HTMLResponse:
    """Show what was made of it: detectors that were trained on it, and results."""
    dataset = service.get(session, actor, id_)
    return render(
        request,
        "datasets/uses.html",
        actor=actor,
        dataset=dataset,
        access=_access(session, actor, dataset),
        lineage=results.lineage(session, actor, dataset.id),
        api_calls=[
            ApiCall(
                _("Results of this dataset"),
                "GET",
                "/detection/results",
                f'results = list(client.detections.list(dataset="{dataset.id}"))',
                query={"dataset_id": dataset.id},
            )
        ],
    )


@router.get("/datasets/{id_}/sharing")
def show_shares(
    request: Request, actor: PageActor, session: SessionDep, id_: str, cursor: str | None = None
) -> HTMLResponse:
    """Show who else may see or use it."""
    return _sharing(request, actor, session, id_, cursor)


@router.post("/datasets/{id_}/sharing")
def share(request: Request, actor: PageActor, session: SessionDep, id_: str, form: FormDep) -> Response:
    """Give it to somebody or to everyone, or take it back."""
    typed = texts(form)
    everyone = typed.get("who") == "everyone"
    email, access = typed.get("email", "").strip(), typed.get("access", "view")
    try:
        if typed.get("action") == "remove":
            whom = typed.get("user_id") or None
            sharing.take_back(session, actor, Dataset, id_, user_id=whom, everyone=whom is None)
        else:
            wanted: Any = access if access in ("view", "use") else "view"
            whose = {"everyone": True} if everyone else {"email": email}
            sharing.give(session, actor, Dataset, id_, wanted, **whose)
    except InputError as problem:
        return _sharing(request, actor, session, id_, None, typed, problem)
    return RedirectResponse(f"/datasets/{id_}/sharing", 303)


def _sharing(
    request: Request,
    actor: User,
    session: Session,
    id_: str,
    cursor: str | None,
    typed: dict[str, str] | None = None,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    dataset = service.get(session, actor, id_, need="own")
    shares, next_cursor = sharing.list_page(session, actor, Dataset, dataset.id, cursor)
    path, given = f"/datasets/{dataset.id}/shares", typed or {}
    return render(
        request,
        "datasets/sharing.html",
        status=problem.status if problem else 200,
        actor=actor,
        dataset=dataset,
        access="own",
        shares=shares,
        cursor=cursor,
        next_cursor=next_cursor,
        email=given.get("email", ""),
        who=given.get("who", "person"),
        wanted=given.get("access", "view"),
        error=problem.message if problem else "",
        api_calls=[
            ApiCall(_("Who has it"), "GET", path, f'list(client.datasets.shares("{dataset.id}"))'),
            ApiCall(
                _("Share it"),
                "PUT",
                path,
                f'client.datasets.share("{dataset.id}", email="ada@example.org", access="view")',
                json={"email": "ada@example.org", "access": "view"},
            ),
        ],
    )


@router.get("/datasets/{id_}/edit")
def ask_changes(request: Request, actor: PageActor, session: SessionDep, id_: str) -> HTMLResponse:
    """Show what can be changed: name, description, label column, types."""
    return _edit(request, actor, service.get(session, actor, id_, need="own"))


@router.post("/datasets/{id_}/edit")
def change(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    results: ResultsDep,
    id_: str,
    form: FormDep,
) -> Response:
    """Change it, or show the form again with what is wrong; other types make the file be read again."""
    typed = texts(form)
    dataset = service.get(session, actor, id_, need="own")
    try:
        wanted = _changes(typed, dataset)
        changes.update(session, actor, storage, results, id_, cascade="cascade" in typed, **wanted)
    except (InputError, Conflict) as problem:
        session.rollback()
        return _edit(request, actor, service.get(session, actor, id_, need="own"), typed, problem)
    return RedirectResponse(f"/datasets/{id_}", 303)


def _changes(typed: dict[str, str], dataset: Dataset) -> changes.Changes:
    """Read the form; what it does not have stays."""
    wanted = changes.Changes()
    if "name" in typed:
        wanted["name"] = typed["name"]
    if "description" in typed:
        wanted["description"] = typed["description"]
    if "label_column" in typed and dataset.status == "ready":
        wanted["label_column"] = typed["label_column"] or None
    if any(name.startswith("type-") for name in typed):
        types: dict[str, Any] = dict(dataset.types)
        for place, column in enumerate(dataset.columns):
            if (chosen := typed.get(f"type-{place}")) is not None:
                types.pop(column["name"], None)
                types |= {column["name"]: chosen} if chosen else {}
        wanted["types"] = types
    return wanted


def _edit(
    request: Request,
    actor: User,
    dataset: Dataset,
    typed: dict[str, str] | None = None,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    given = typed or {}
    columns = [
        {
            "name": column["name"],
            "found": type_name(column["type"]),
            "chosen": given.get(f"type-{place}", dataset.types.get(column["name"], "")),
        }
        for place, column in enumerate(dataset.columns[:SHOWN_COLUMNS])
    ]
    return render(
        request,
        "datasets/edit.html",
        status=problem.status if problem else 200,
        actor=actor,
        dataset=dataset,
        access="own",
        columns=columns,
        types=[(kind, type_name(kind)) for kind in CHOSEN_TYPES],
        name=given.get("name", dataset.name),
        description=given.get("description", dataset.description),
        label=given.get("label_column", dataset.label_column or ""),
        error=problem.message if problem else "",
        depends=problem.details.get("results", 0) if isinstance(problem, Conflict) else 0,
        api_calls=[
            ApiCall(
                _("Change it"),
                "PATCH",
                f"/datasets/{dataset.id}",
                f'client.datasets.update("{dataset.id}", name={dataset.name!r})',
                json={"name": dataset.name},
            )
        ],
    )


@router.get("/datasets/{id_}/delete")
def ask_delete(
    request: Request, actor: PageActor, session: SessionDep, results: ResultsDep, id_: str
) -> HTMLResponse:
    """Ask whether to delete it, and say what goes with it."""
    dataset = service.get(session, actor, id_, need="own")
    return _delete(request, actor, session, dataset, results.lineage(session, actor, dataset.id), results)


@router.post("/datasets/{id_}/delete")
def delete(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    results: ResultsDep,
    id_: str,
    form: FormDep,
) -> Response:
    """Delete it, with the results that were shown to go with it."""
    dataset = service.get(session, actor, id_, need="own")
    try:
        cascade = texts(form).get("cascade") == "yes"
        changes.delete(session, actor, storage, results, id_, cascade=cascade)
    except Conflict as problem:
        found = results.lineage(session, actor, dataset.id)
        return _delete(request, actor, session, dataset, found, results, problem)
    return RedirectResponse("/datasets", 303)


def _delete(
    request: Request,
    actor: User,
    session: Session,
    dataset: Dataset,
    lineage: Lineage,
    results: ResultsDep,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    path = f"/datasets/{dataset.id}"
    return render(
        request,
        "datasets/delete.html",
        status=problem.status if problem else 200,
        actor=actor,
        dataset=dataset,
        access="own",
        lineage=lineage,
        n_results=results.count(session, dataset_id=dataset.id),
        error=problem.message if problem else "",
        api_calls=[
            ApiCall(
                _("Delete it with its results"),
                "DELETE",
                path,
                f'client.datasets.delete("{dataset.id}", cascade=True)',
                query={"cascade": "true"},
            )
        ],
    )


def _access(session: Session, actor: User, dataset: Dataset) -> str:
    """What the actor may do with it."""
    return sharing.held(session, actor, Dataset, [dataset])[dataset.id]
