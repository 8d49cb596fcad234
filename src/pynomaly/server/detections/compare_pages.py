"""The page that puts two to five results side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from pynomaly.detection import catalogue
from pynomaly.errors import Busy, TableTooLarge
from pynomaly.server.detections import compare
from pynomaly.server.detections.compare import Comparison
from pynomaly.server.detections.models import Detection
from pynomaly.server.users.models import User
from pynomaly.server.web import formats
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import DatabaseDep, PageActor, SettingsDep, StorageDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

LETTERS = "ABCDE"
SHADES = 5
MIB = 1024 * 1024


@dataclass(frozen=True)
class Side:
    """One result: its letter on the page, its figures, and each as a share of the largest, in percent."""

    letter: str
    detection: Detection
    title: str
    algorithm: str
    share: float | None
    seconds: float
    peak: int | None
    bars: dict[str, float]
    auc_roc: float | None
    average_precision: float | None


@dataclass(frozen=True)
class Together:
    """Rows that exactly these results flag."""

    members: list[bool]
    letters: str
    count: int
    bar: float


@dataclass(frozen=True)
class Shade:
    """A cell of a matrix: a number, and how dark it is, 0 to 5."""

    text: str
    shade: int


@dataclass(frozen=True)
class Difference:
    """A setting that is not the same in all: its value in each, and whether the first has another one."""

    field: str
    cells: list[tuple[str, bool]]


@router.get("/detections/compare")
def show(
    request: Request,
    actor: PageActor,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    id_: Annotated[list[str] | None, Query(alias="id", max_length=100)] = None,
) -> HTMLResponse:
    """Compare results: their figures and settings, and row by row when they are of the same table."""
    ids = list(dict.fromkeys(id_ or []))
    if not 2 <= len(ids) <= compare.MOST:
        return _ask_again(request, actor, len(ids))
    with database.session(write=False) as session:
        found = compare.choose(session, actor, ids)
        why_not = _obstacle(found)
        comparison = None if why_not else compare.of(found, storage)
    told: dict[str, Any] | None = None
    if comparison is not None:
        try:
            told = comparison.run(settings, with_values=False)
        except (TableTooLarge, Busy) as problem:
            why_not = problem.message
    return render(
        request,
        "detections/compare.html",
        actor=actor,
        sides=_sides(found),
        same_dataset=len({one.dataset_id for one in found}) == 1,
        why_not=why_not,
        told=told,
        overlap=_overlap(ids, told["overlap"]) if told else [],
        matrices=_matrices(ids, told["pairs"]) if told else [],
        differences=_differences(found),
        api_calls=_calls(ids, comparison),
    )


def _ask_again(request: Request, actor: User, chosen: int) -> HTMLResponse:
    """Say how many results can be compared."""
    return render(request, "detections/compare_few.html", status=422, actor=actor, chosen=chosen)


def _obstacle(found: Sequence[Detection]) -> str:
    """Say why the rows of these results cannot be compared; empty when they can."""
    unfinished = [one for one in found if one.status != "completed"]
    if unfinished:
        letters = ", ".join(LETTERS[found.index(one)] for one in unfinished)
        return _("%(letters)s: there is no result, or not yet.") % {"letters": letters}
    if len({one.dataset_id for one in found}) > 1:
        return _("They are of different datasets, so that row 5 of one is not row 5 of another.")
    if len({one.n_rows for one in found}) > 1:
        return _("They are of different readings of the dataset: the numbers of rows differ.")
    return ""


def _sides(found: Sequence[Detection]) -> list[Side]:
    items = [compare.item(one) for one in found]
    names = ("n_anomalies", "seconds", "peak_mib")
    most = {name: max((item[name] or 0 for item in items), default=0) or 1 for name in names}
    return [
        Side(
            letter=letter,
            detection=one,
            title=one.name or one.dataset.name,
            algorithm=catalogue.get(one.algorithm).title,
            share=one.n_anomalies / one.n_rows if one.n_anomalies is not None and one.n_rows else None,
            seconds=item["seconds"],
            peak=None if item["peak_mib"] is None else int(item["peak_mib"] * MIB),
            bars={name: round((item[name] or 0) / most[name] * 100, 1) for name in names},
            auc_roc=item["auc_roc"],
            average_precision=item["average_precision"],
        )
        for letter, one, item in zip(LETTERS, found, items, strict=False)
    ]


def _overlap(ids: Sequence[str], told: Sequence[dict[str, Any]]) -> list[Together]:
    most = max((one["count"] for one in told), default=0) or 1
    return [
        Together(
            members=[id_ in one["ids"] for id_ in ids],
            letters=", ".join(letter for letter, id_ in zip(LETTERS, ids, strict=False) if id_ in one["ids"]),
            count=one["count"],
            bar=round(one["count"] / most * 100, 2),
        )
        for one in told
    ]


def _matrices(
    ids: Sequence[str], pairs: Sequence[dict[str, Any]]
) -> list[tuple[str, str, list[list[Shade]]]]:
    """Title, help and cells of the two matrices: rank correlation, and flagged rows in common."""
    return [
        (
            _("Rank correlation"),
            _("Spearman's, of the scores of all rows: 1 is the same order, 0 no relation, −1 the reverse."),
            _matrix(ids, {frozenset(pair["ids"]): pair["spearman"] for pair in pairs}),
        ),
        (
            _("Anomalies in common"),
            _("Jaccard's index: of the rows that either flags, the share that both flag."),
            _matrix(ids, {frozenset(pair["ids"]): pair["jaccard"] for pair in pairs}),
        ),
    ]


def _matrix(ids: Sequence[str], values: dict[frozenset[str], float | None]) -> list[list[Shade]]:
    def cell(one: str, other: str) -> Shade:
        value = values.get(frozenset((one, other)))
        if one == other or value is None:
            return Shade(formats.MISSING, 0)
        return Shade(formats.number(round(value, 3)), round(min(1.0, abs(value)) * SHADES))

    return [[cell(one, other) for other in ids] for one in ids]


def _differences(found: Sequence[Detection]) -> list[Difference]:
    told = []
    for one in compare.differences(found):
        texts = [_setting(one["field"], value) for value in one["values"]]
        told.append(
            Difference(
                one["field"].removeprefix("parameters."),
                [(text, text != texts[0] and formats.MISSING not in (text, texts[0])) for text in texts],
            )
        )
    return told


def _setting(field: str, value: Any) -> str:
    if field == "algorithm":
        return catalogue.get(value).title
    if field == "columns":
        return ", ".join(value) if value else _("all")
    return formats.value(value)


def _calls(ids: Sequence[str], comparison: Comparison | None) -> list[ApiCall]:
    if comparison is None:
        return [
            ApiCall(_("One result"), "GET", f"/detection/results/{id_}", f'client.detections.get("{id_}")')
            for id_ in ids
        ]
    listed = ", ".join(f'"{id_}"' for id_ in ids)
    call = f"comparison = client.detections.compare([{listed}])"
    return [ApiCall(_("Compare results"), "GET", "/detection/compare", call, query={"ids": ",".join(ids)})]
