"""The start page: what was found lately, what runs, and how the system stands; or the first step."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, load_only

from pynomaly.detection import catalogue
from pynomaly.server.access import visible
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detections import overview
from pynomaly.server.detections import service as detections
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.previews import PREVIEW
from pynomaly.server.detections.samples_pages import cards
from pynomaly.server.detectors.models import Detector
from pynomaly.server.jobs.models import Job
from pynomaly.server.users.models import User
from pynomaly.server.web import bars, formats, histogram, system
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import PageActor, SessionDep, SettingsDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

SHOWN = 8
DATASETS_SHOWN = 5
JOBS_SHOWN = 8


@dataclass(frozen=True)
class Found:
    """One detection, ready to show: what it found, with a small picture of its scores."""

    detection: Detection
    algorithm: str
    share: float | None
    picture: histogram.Histogram | None
    told: str
    """The picture in words."""


@dataclass(frozen=True)
class Running:
    """A job that waits or runs, with what it works on and where that is shown."""

    job: Job
    title: str
    name: str
    address: str


@router.get("/")
def show(request: Request, actor: PageActor, session: SessionDep, settings: SettingsDep) -> HTMLResponse:
    """Show what happened last, and what to do next."""
    found, _next = detections.list_page(session, actor, limit=SHOWN)
    tables, _next = datasets.list_page(session, actor, limit=DATASETS_SHOWN)
    days = overview.per_day(session, actor) if found else []
    usage = request.app.state.usage
    return render(
        request,
        "home.html",
        actor=actor,
        detections=[_found(one) for one in found],
        datasets=tables,
        ready=any(table.status == "ready" for table in tables),
        running=_running(session, actor),
        waiting=overview.waiting(session, actor) if found else None,
        days=days,
        found_bars=bars.draw([(one.day, one.anomalies) for one in days]),
        run_bars=bars.draw([(one.day, one.detections) for one in days]),
        system=system.look(session, usage, settings.home, everything=actor.is_admin),
        cards=cards(),
        api_calls=_calls(),
    )


def _found(detection: Detection) -> Found:
    n_rows, n = detection.n_rows, detection.n_anomalies
    picture = None
    if detection.status == "completed":
        picture = histogram.draw(detection.score_histogram, detection.threshold)
    told = _("Scores of %(rows)s rows, %(n)s above the threshold of %(cut)s") % {
        "rows": formats.count(n_rows),
        "n": formats.count(n),
        "cut": formats.number(detection.threshold),
    }
    share = n / n_rows if n is not None and n_rows else None
    return Found(detection, _(catalogue.get(detection.algorithm).title), share, picture, told)


def _running(session: Session, actor: User) -> list[Running]:
    """The jobs that wait or run, the oldest first; previews are shown where they were asked for."""
    query = (
        visible(actor, Job)
        .where(Job.status.in_(("queued", "running")), Job.kind != PREVIEW)
        .order_by(Job.created_at, Job.id)
        .limit(JOBS_SHOWN)
    )
    jobs = session.scalars(query).all()
    names = _names(session, jobs)
    return [Running(job, _title(job.kind), *names.get(str(job.subject_id), ("", ""))) for job in jobs]


def _title(kind: str) -> str:
    return {
        "dataset.ingest": _("Reading the file"),
        "dataset.sample": _("Making the sample table"),
        "detector.train": _("Training"),
        "detection.run": _("Looking for anomalies"),
        "detection.batch": _("Many detections"),
    }.get(kind, kind)


def _names(session: Session, jobs: Sequence[Job]) -> dict[str, tuple[str, str]]:
    """Name what jobs work on, with its page; three queries for all of them."""
    ids = [job.subject_id for job in jobs if job.subject_id]
    if not ids:
        return {}
    found = {}
    for kind, place in ((Dataset, "datasets"), (Detector, "detectors")):
        for id_, name in session.execute(select(kind.id, kind.name).where(kind.id.in_(ids))):
            found[id_] = (name, f"/{place}/{id_}")
    query = (
        select(Detection)
        .where(Detection.id.in_(ids))
        .options(load_only(Detection.id), joinedload(Detection.dataset).load_only(Dataset.name))
    )
    for detection in session.scalars(query):
        found[detection.id] = (detection.dataset.name, f"/detections/{detection.id}")
    return found


def _calls() -> list[ApiCall]:
    return [
        ApiCall(
            _("List the newest results"),
            "GET",
            "/detection/results",
            "results = client.detections.list(page_size=8)",
            query={"limit": SHOWN},
        ),
        ApiCall(
            _("List the jobs that run"),
            "GET",
            "/jobs",
            'jobs = client.jobs.list(status="running")',
            query={"status": "running"},
        ),
    ]
