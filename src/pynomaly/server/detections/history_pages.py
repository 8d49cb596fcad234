"""The page of all results: filters, order, what they took over time, and choosing some to compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pynomaly.detection import catalogue
from pynomaly.server.detections import choices, service, trends
from pynomaly.server.detections.filters import Filters
from pynomaly.server.detections.models import Detection, DetectionStatus
from pynomaly.server.web import formats, sparkline
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import Cursor, PageActor, SessionDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render
from pynomaly.server.web.sparkline import Spark, Trend

router = APIRouter(include_in_schema=False)

SHOWN = 25
NEWEST = "-created_at"
MIB = 1024 * 1024
FILTERS = ("name", "dataset", "detector", "algorithm", "status", "since", "until", "sort")


@dataclass(frozen=True)
class Line:
    """A result in the list; `detection` has its figures."""

    detection: Detection
    title: str
    algorithm: str
    share: float | None
    spark: Spark | None


@dataclass(frozen=True)
class Figure:
    """A trend with what it is of: the latest value, the highest, all as text."""

    title: str
    trend: Trend
    latest: str
    middle: str
    highest: str


@dataclass(frozen=True)
class Asked:
    """What the address asks for: each filter as it was typed, read, and what is wrong with it."""

    typed: dict[str, str]
    filters: Filters
    errors: dict[str, str]

    @property
    def narrowed(self) -> bool:
        """Whether any filter is set."""
        return any(value for name, value in self.typed.items() if name != "sort")

    def address(self, **more: str) -> str:
        """This list's address, with more in its query."""
        query = {name: value for name, value in (self.typed | more).items() if value}
        return f"/detections?{urlencode(query)}" if query else "/detections"


@router.get("/detections")
def show_all(request: Request, actor: PageActor, session: SessionDep, cursor: Cursor = None) -> HTMLResponse:
    """List results, narrowed down and ordered as the address says."""
    asked = _read({name: request.query_params.get(name, "").strip() for name in FILTERS})
    sort = asked.typed["sort"] or NEWEST
    found, next_cursor = service.list_page(session, actor, cursor, SHOWN, sort, asked.filters)
    points = trends.of(session, actor, asked.filters)
    return render(
        request,
        "detections/list.html",
        status=422 if asked.errors else 200,
        actor=actor,
        lines=[_line(one) for one in found],
        asked=asked,
        typed=asked.typed,
        errors=asked.errors,
        sort=sort,
        sorts=_sorts(),
        statuses=_statuses(),
        datasets=choices.of_datasets(session, actor, asked.typed["dataset"]),
        detectors=choices.of_detectors(session, actor, asked.typed["detector"]),
        algorithms=[("", _("all")), *((info.name, info.title) for info in catalogue.CATALOGUE.values())],
        titles={info.name: info.title for info in catalogue.CATALOGUE.values()},
        points=points,
        figures=_figures(points),
        cursor=cursor,
        further=asked.address(cursor=next_cursor) if next_cursor else "",
        api_calls=_calls(asked),
    )


def _sorts() -> list[tuple[str, str]]:
    return [
        (NEWEST, _("newest first")),
        ("created_at", _("oldest first")),
        ("-n_anomalies", _("most anomalies first")),
        ("-n_rows", _("most rows first")),
        ("-seconds", _("longest run first")),
        ("seconds", _("shortest run first")),
    ]


def _statuses() -> list[tuple[str, str]]:
    return [
        ("", _("all")),
        ("completed", _("done")),
        ("running", _("running")),
        ("queued", _("waiting")),
        ("failed", _("failed")),
        ("cancelled", _("cancelled")),
    ]


def _read(typed: dict[str, str]) -> Asked:
    """Read the filters; one that is wrong is left out, and told of."""
    errors: dict[str, str] = {}
    if typed["sort"] not in dict(_sorts()):
        typed["sort"] = ""
    status = typed["status"] if typed["status"] in get_args(DetectionStatus) else None
    if len(typed["name"]) > 200:
        errors["name"] = _("A name has at most 200 characters.")
    filters = Filters(
        status=cast("DetectionStatus | None", status),
        dataset_id=typed["dataset"] or None,
        detector_id=typed["detector"] or None,
        algorithm=typed["algorithm"] or None,
        since=_day(typed, "since", errors),
        until=_day(typed, "until", errors, timedelta(days=1)),
        name=typed["name"] if typed["name"] and "name" not in errors else None,
    )
    return Asked(typed, filters, errors)


def _day(
    typed: dict[str, str], name: str, errors: dict[str, str], later: timedelta = timedelta()
) -> datetime | None:
    """Read a date, as UTC; `later` is added to it."""
    if not typed[name]:
        return None
    try:
        return datetime.strptime(typed[name], "%Y-%m-%d").replace(tzinfo=UTC) + later
    except (ValueError, OverflowError):
        errors[name] = _("Write a date as 2026-01-31.")
        return None


def _line(one: Detection) -> Line:
    completed = one.n_anomalies is not None and one.n_rows
    return Line(
        detection=one,
        title=one.name or one.dataset.name,
        algorithm=catalogue.get(one.algorithm).title,
        share=(one.n_anomalies or 0) / (one.n_rows or 1) if completed else None,
        spark=sparkline.histogram(one.score_histogram, one.threshold),
    )


def _figures(points: Sequence[trends.Point]) -> list[Figure]:
    """Draw what the results took and found; nothing with fewer than two."""
    kinds: list[tuple[str, Callable[[trends.Point], float | None], Callable[[float], str]]] = [
        (_("Duration"), lambda one: one.seconds, formats.duration),
        (_("Peak memory"), lambda one: one.peak_mib and one.peak_mib * MIB, lambda n: formats.size(int(n))),
        (_("Share of anomalies"), lambda one: one.share, formats.percent),
    ]
    drawn = [_figure(title, points, of, write) for title, of, write in kinds]
    return [figure for figure in drawn if figure is not None]


def _figure(
    title: str,
    points: Sequence[trends.Point],
    of: Callable[[trends.Point], float | None],
    write: Callable[[float], str],
) -> Figure | None:
    values = [value for one in points if (value := of(one)) is not None]
    trend = sparkline.trend(values)
    if trend is None:
        return None
    middle = sorted(values)[len(values) // 2]
    return Figure(title, trend, write(values[-1]), write(middle), write(trend.highest))


def _calls(asked: Asked) -> list[ApiCall]:
    """The same list by the API."""
    filters = asked.filters
    given: dict[str, Any] = {
        "status": filters.status,
        "dataset_id": filters.dataset_id,
        "detector_id": filters.detector_id,
        "algorithm": filters.algorithm,
        "name": filters.name,
        "since": filters.since and filters.since.isoformat(),
        "until": filters.until and filters.until.isoformat(),
        "sort": asked.typed["sort"] or None,
    }
    query = {name: value for name, value in given.items() if value is not None}
    words = ", ".join(f"{name.removesuffix('_id')}={value!r}" for name, value in query.items())
    line = f"results = list(client.detections.list({words}))"
    return [ApiCall(_("List results"), "GET", "/detection/results", line, query=query)]
