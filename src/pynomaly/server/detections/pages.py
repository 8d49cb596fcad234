"""The page of one detection: how far it is, what was found, or why there is nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from pynomaly.detection import catalogue
from pynomaly.errors import InputError, PynomalyError
from pynomaly.server.detections import charts, drawn, feedback, look, result_calls, service, shown, threshold
from pynomaly.server.detections.look import Look
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.rows import ranked
from pynomaly.server.detections.search import Ranked
from pynomaly.server.detections.threshold import Cut
from pynomaly.server.detections.view import COLUMN
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.web import histogram
from pynomaly.server.web.deps import PageActor, SessionDep, StorageDep
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

MOST_CHOICES = 300
"""Columns that a field offers, of those with names of at most so many characters."""


@router.get("/detections/{id_}")
def show(
    request: Request, actor: PageActor, session: SessionDep, storage: StorageDep, id_: str
) -> HTMLResponse:
    """Show one detection; of a result, what the address says."""
    return page(request, session, storage, actor, id_)


def page(
    request: Request,
    session: Session,
    storage: LocalStorage,
    actor: User,
    id_: str,
    *,
    given: Look | None = None,
    typed: Mapping[str, str] | None = None,
    problem: PynomalyError | None = None,
) -> HTMLResponse:
    """Render the page; `typed` and `problem` are those of a form that is shown again, `given` its page."""
    detection = service.get(session, actor, id_)
    about: dict[str, Any] = {
        "detection": detection,
        "job": detection.job,
        "dataset": detection.dataset,
        "detector": detection.detector,
        "algorithm": catalogue.get(detection.algorithm),
    }
    if detection.status != "completed":
        calls = result_calls.unfinished(detection)
        return render(request, "detections/detail.html", actor=actor, api_calls=calls, **about)
    found = _Result(session, storage, actor, detection)
    try:
        state = given or look.read(request.query_params)
        context = found.context(state)
    except InputError as wrong:
        problem, state = wrong, Look()
        context = found.context(state)
    return render(
        request,
        "detections/detail.html",
        status=problem.status if problem else 200,
        actor=actor,
        error=problem.message if problem else "",
        typed={"name": detection.name, "remarks": detection.remarks} | dict(typed or {}),
        asked=dict(request.query_params),
        api_calls=result_calls.calls(detection, state),
        **about,
        **context,
    )


@dataclass(frozen=True)
class _Result:
    """A completed detection of which a page is made."""

    session: Session
    storage: LocalStorage
    actor: User
    detection: Detection

    def context(self, state: Look) -> dict[str, Any]:
        """Work out all that the page says; raises InputError when the address asks for what is not there."""
        detection = self.detection
        cut = threshold.preview(detection, self.storage, state.threshold, state.max_alerts)
        of = ranked(detection, self.storage, cut.n_anomalies)
        chart, tabs = _chart(of, detection, state)
        return {
            "look": state,
            "cut": cut,
            "saved": threshold.preview(detection, self.storage),
            "score_typed": _typed(of, cut),
            "picture": histogram.draw(detection.score_histogram, cut.threshold),
            "threshold_data": _threshold_data(of, detection, cut),
            "chart": chart,
            "tabs": tabs,
            "tab": _tab(state, tabs),
            "axes": _offered(charts.drawable(of)),
            "names": _offered(of.names),
            "labels": charts.quality(of, detection.dataset.label_column or ""),
            "said": feedback.counts(self.session, detection),
            "phases": (detection.metrics or {}).get("phases") or {},
            **self._rows(of, state),
        }

    def _rows(self, of: Ranked, state: Look) -> dict[str, Any]:
        chosen = service.selected(self.session, self.detection, self.storage, state.view, of.n_anomalies)
        total = chosen.count()
        first = [one.column for one in state.view.where] + [state.view.sort.partition(COLUMN)[2]]
        most = shown.MOST_VALUES if state.layout == "cards" else shown.TABLE_COLUMNS
        names = shown.columns_of(self.detection, first, most)
        found = chosen.page((state.page - 1) * state.size, state.size, names)
        top = found[:1]
        if not top or top[0].rank != 1:
            everything = service.selected(
                self.session, self.detection, self.storage, look.EVERYTHING, of.n_anomalies
            )
            top = everything.page(0, 1, names[:1])
        return {
            "rows": shown.ranked(self.session, self.actor, self.detection, found),
            "top": shown.ranked(self.session, self.actor, self.detection, top)[0] if top else None,
            "total": total,
            "shown_columns": names,
            "n_pages": max(1, -(-total // state.size)),
        }


def _chart(of: Ranked, detection: Detection, state: Look) -> tuple[Any, list[str]]:
    """Lay out the chart that is looked at; returns it and the names of all that there are."""
    projected, drawable, timed = charts.projection(of), charts.drawable(of), charts.timed(of)
    labelled = charts.quality(of, detection.dataset.label_column or "")
    there = {"map": projected, "columns": len(drawable) > 1, "time": timed, "labels": labelled}
    tabs = [name for name, is_there in there.items() if is_there]
    tab = _tab(state, tabs)
    if tab == "map" and projected is not None:
        return drawn.scatter(projected, of), tabs
    if tab == "columns":
        x, y = _axes(drawable, detection, state)
        points = charts.scatter(of, x, y)
        return (drawn.scatter(points, of) if points.points else None), tabs
    if tab == "time":
        course = charts.timeline(of, state.x if state.x in timed else timed[0])
        return (drawn.course(course) if course else None), tabs
    return (drawn.agreement(labelled) if tab == "labels" and labelled else None), tabs


def _tab(state: Look, tabs: list[str]) -> str:
    return state.chart if state.chart in tabs else next(iter(tabs), "")


def _axes(drawable: list[str], detection: Detection, state: Look) -> tuple[str, str]:
    """Choose two columns: those asked for, else the first two that were used."""
    used = detection.columns or drawable
    ready = [name for name in drawable if name in used] + drawable
    x = state.x if state.x in drawable else ready[0]
    return x, state.y if state.y in drawable else next(name for name in ready if name != x)


def _offered(names: list[str]) -> list[str]:
    return [name for name in names if len(name) <= MOST_CHOICES][:MOST_CHOICES]


def _typed(of: Ranked, cut: Cut) -> float:
    """Write the threshold with as few digits as flag the same rows, where that is quickly known."""
    scores, n = charts.highest_scores(of.r), cut.n_anomalies
    low, high = scores[n] if n < len(scores) else inf, scores[n - 1] if 0 < n <= len(scores) else inf
    if not low <= cut.threshold < high:
        return cut.threshold
    rounded = (float(f"{cut.threshold:.{digits}g}") for digits in range(4, 18))
    return next(short for short in rounded if low <= short < high)


def _threshold_data(of: Ranked, detection: Detection, cut: Cut) -> dict[str, Any] | None:
    """Give a script what it counts anomalies by: the highest scores one by one, the others by bins."""
    if not detection.score_histogram:
        return None
    return {
        **detection.score_histogram,
        "scores": charts.highest_scores(of.r),
        "rows": cut.n_rows,
        "saved": detection.threshold,
        "threshold": cut.threshold,
    }
