"""The page between upload and import: what was recognised, and what a person says instead."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pynomaly.errors import InputError, NotReady, PynomalyError
from pynomaly.server.datasets import imports, service
from pynomaly.server.datasets.checks import CHOSEN_TYPES, DECIMALS, DELIMITERS, ENCODINGS, QUOTES
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.datasets.pages import mark
from pynomaly.server.users.models import User
from pynomaly.server.web import formats
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep, texts
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

SHOWN_COLUMNS = 300
"""Columns whose type can be chosen on the page; of others by the API."""
SAMPLES = 5
NO_QUOTE = "none"
MEANT: Mapping[str, Any] = {"yes": True, "no": False, NO_QUOTE: "", "tab": "\t", "blank": " "}
"""What a form sends for marks that it would lose."""
SPLITTING = ("delimiter", "quote", "encoding", "header")
"""Marks on which it depends what the columns are."""
MARKS: Mapping[str, tuple[Any, ...]] = {
    "delimiter": DELIMITERS,
    "quote": QUOTES,
    "encoding": ENCODINGS,
    "header": (True, False),
    "decimal": DECIMALS,
}


@router.get("/datasets/{id_}/import")
def show(request: Request, actor: PageActor, session: SessionDep, id_: str) -> Response:
    """Show the first rows, the dialect and the types, each to be changed; or how far that is."""
    dataset = service.get(session, actor, id_)
    if dataset.status in ("processing", "ready"):
        return RedirectResponse(f"/datasets/{dataset.id}", 303)
    return _page(request, actor, dataset)


@router.post("/datasets/{id_}/import")
def decide(request: Request, actor: PageActor, session: SessionDep, id_: str, form: FormDep) -> Response:
    """Read the file as the form says, or look at it again; sent twice, it does nothing twice."""
    typed = texts(form)
    dataset = service.get(session, actor, id_, need="own")
    try:
        step = imports.look if typed.get("action") == "look" else imports.start
        step(session, actor, id_, **_wishes(typed, dataset))
    except NotReady:
        pass  # it is being read already
    except InputError as problem:
        session.rollback()
        return _page(request, actor, service.get(session, actor, id_), typed, problem)
    return RedirectResponse(
        f"/datasets/{id_}/import" if typed.get("action") == "look" else f"/datasets/{id_}", 303
    )


def _wishes(typed: Mapping[str, str], dataset: Dataset) -> imports.Wishes:
    """Read the form: an empty field means "as found"."""
    choice: dict[str, Any] = {}
    for name in MARKS:
        value = typed.get(name, "")
        if value:
            choice[name] = MEANT.get(value, value)
    columns = (dataset.preview or {}).get("columns", [])
    if typed.get("action") == "look" and any(choice.get(m) != dataset.choice.get(m) for m in SPLITTING):
        columns = []  # there will be others
    types: dict[str, Any] = {}
    for place, column in enumerate(columns):
        if chosen := typed.get(f"type-{place}", dataset.types.get(column["name"], "")):
            types[column["name"]] = chosen
    wishes = imports.Wishes(types=types, choice=choice)
    if typed.get("name", "").strip():
        wishes["name"] = typed["name"]
    if "label_column" in typed:
        wishes["label_column"] = typed["label_column"].strip() or None
    return wishes


def _page(
    request: Request,
    actor: User,
    dataset: Dataset,
    typed: Mapping[str, str] | None = None,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    preview = dataset.preview
    found = (preview or {}).get("dialect") or {}
    given = typed or {}
    waiting = dataset.status == "uploaded" and preview is None and dataset.error_code is None
    return render(
        request,
        "datasets/import.html",
        status=problem.status if problem else 200,
        actor=actor,
        dataset=dataset,
        job=dataset.job if waiting else None,
        error=problem.message if problem else "",
        preview=preview,
        name=given.get("name", dataset.name),
        label=given.get("label_column", dataset.label_column or ""),
        marks=[_field(name, dataset, found, given) for name in MARKS],
        has_marks=preview is None or found.get("format") == "csv",
        columns=_columns(dataset, preview or {}, given),
        types=[(kind, type_name(kind)) for kind in CHOSEN_TYPES],
        n_changed=len(dataset.types) + len(dataset.choice),
        api_calls=_calls(dataset),
    )


def _field(name: str, dataset: Dataset, found: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """Prepare the choice of one mark; its first option is what was found."""
    titles = {
        "delimiter": _("Delimiter"),
        "quote": _("Quotes"),
        "encoding": _("Encoding"),
        "header": _("First row"),
        "decimal": _("Decimal mark"),
    }
    chosen = name in dataset.choice
    seen = _called(name, found[name]) if name in found and not chosen else ""
    as_found = _("found: %(what)s") % {"what": seen} if seen else _("as found")
    options = [("", as_found), *((_key(name, value), _called(name, value)) for value in MARKS[name])]
    value = typed.get(name, _key(name, dataset.choice[name]) if chosen else "")
    return {"name": name, "label": titles[name], "options": options, "value": value}


def _key(name: str, value: Any) -> str:
    """Write a mark as a form sends it; blanks would be lost."""
    if name == "header":
        return "yes" if value else "no"
    return {"": NO_QUOTE, "\t": "tab", " ": "blank"}.get(value, str(value))


def _called(name: str, value: Any) -> str:
    if name == "header":
        return _("has the names") if value else _("is data")
    return mark(value) if value else _("none")


def type_name(kind: str) -> str:
    """Name a column type."""
    names = {
        "number": _("number"),
        "category": _("category"),
        "timestamp": _("timestamp"),
        "text": _("text"),
        "id": _("identifier"),
        "constant": _("constant"),
    }
    return names.get(kind, kind)


def _columns(dataset: Dataset, preview: Mapping[str, Any], typed: Mapping[str, str]) -> list[dict[str, Any]]:
    """Prepare the columns: found type, chosen type, the first values."""
    rows = preview.get("rows", [])[:SAMPLES]
    return [
        {
            "name": column["name"],
            "found": type_name(column["type"]),
            "chosen": typed.get(f"type-{place}", dataset.types.get(column["name"], "")),
            "values": [_cell(row[place], column["type"]) for row in rows],
            "numeric": column["type"] == "number",
        }
        for place, column in enumerate(preview.get("columns", [])[:SHOWN_COLUMNS])
    ]


def _cell(item: Any, kind: str) -> str:
    text = formats.value(item)
    return text.replace("T", " ").removesuffix(":00") if kind == "timestamp" else text


def _calls(dataset: Dataset) -> list[ApiCall]:
    path, id_ = f"/datasets/{dataset.id}", dataset.id
    body: dict[str, Any] = {"types": dataset.types, "dialect": dataset.choice}
    look = ApiCall(_("See what was found"), "GET", f"{path}/preview", f'client.datasets.preview("{id_}")')
    return [
        *([look] if dataset.status == "uploaded" and dataset.preview else []),
        ApiCall(
            _("Import it"),
            "POST",
            f"{path}/import",
            f'client.datasets.import_("{id_}", types={dataset.types!r}, dialect={dataset.choice!r})',
            json=body,
        ),
    ]
