"""The pages of one detection: progress, result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pynomaly.detection import catalogue
from pynomaly.server.detections import service
from pynomaly.server.detections.result import ResultRow
from pynomaly.server.web import formats, histogram
from pynomaly.server.web.deps import PageActor, SessionDep, StorageDep
from pynomaly.server.web.render import render

router = APIRouter(include_in_schema=False)

ROWS_SHOWN = 25


@dataclass(frozen=True)
class Reason:
    """One reason, with the length of its bar in percent of the row's strongest reason."""

    text: str
    share: float


@dataclass(frozen=True)
class RankedRow:
    """One row of a result, ready to show."""

    row: int
    score: float
    p_value: float
    is_anomaly: bool
    summary: str | None
    reasons: list[Reason]
    cells: Mapping[str, Any]
    nearest_row: int | None
    nearest_cells: Mapping[str, Any]


@router.get("/detections/{id_}")
def show(
    request: Request,
    actor: PageActor,
    session: SessionDep,
    storage: StorageDep,
    id_: str,
    sort: str = "-score",
    cursor: str | None = None,
) -> HTMLResponse:
    """Show one detection: how far it is, what it found, or why it failed."""
    detection = service.get(session, actor, id_)
    rows: list[ResultRow] = []
    next_cursor = None
    if detection.status == "completed":
        rows, next_cursor = service.rows(session, actor, storage, id_, sort, ROWS_SHOWN, cursor)
    metrics = detection.metrics or {}
    return render(
        request,
        "detections/detail.html",
        actor=actor,
        detection=detection,
        job=detection.job,
        dataset=detection.dataset,
        detector=detection.detector,
        algorithm=catalogue.get(detection.algorithm),
        picture=histogram.draw(detection.score_histogram, detection.threshold),
        rows=[_ranked(row) for row in rows],
        cursor=cursor,
        next_cursor=next_cursor,
        sort=sort,
        phases=metrics.get("phases") or {},
        quality=_quality(metrics),
    )


def _ranked(row: ResultRow) -> RankedRow:
    strongest = max((reason["contribution"] for reason in row.reasons), default=0) or 1
    reasons = [
        Reason(reason["text"], round(max(0, reason["contribution"]) / strongest * 100, 1))
        for reason in row.reasons
    ]
    near = row.nearest_normal or {"row": None, "values": {}}
    return RankedRow(
        row=row.row,
        score=row.score,
        p_value=row.p_value,
        is_anomaly=row.is_anomaly,
        summary=row.summary,
        reasons=reasons,
        cells=row.values,
        nearest_row=near["row"],
        nearest_cells=near["values"],
    )


def _quality(metrics: Mapping[str, Any]) -> str:
    """Say how well the scores agree with the labels; empty when there are none."""
    named = (("auc_roc", "area under the ROC curve"), ("average_precision", "average precision"))
    found = [(title, metrics.get(key)) for key, title in named]
    return ", ".join(f"{title} {formats.number(share, 3)}" for title, share in found if share is not None)
