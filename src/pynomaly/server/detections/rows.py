"""Rows of a completed result, by a view: what the API, the pages and exports choose from."""

import hashlib
from dataclasses import replace
from typing import Any

from sqlalchemy import select as query
from sqlalchemy.orm import Session

from pynomaly.server import positions
from pynomaly.server.detections import search
from pynomaly.server.detections.models import Detection, Feedback
from pynomaly.server.detections.result import ResultRow
from pynomaly.server.detections.search import Ranked, Selection
from pynomaly.server.detections.view import SORTS, View
from pynomaly.server.storage import LocalStorage


def ranked(detection: Detection, storage: LocalStorage, n_anomalies: int | None = None) -> Ranked:
    """Look up a completed detection's files; `n_anomalies`: as if so many rows were anomalies."""
    return Ranked(
        storage.open_path(str(detection.blob_key)),
        storage.open_path(str(detection.dataset.blob_key)),
        detection.dataset.columns,
        detection.n_rows or 0,
        (detection.n_anomalies or 0) if n_anomalies is None else n_anomalies,
    )


def select(session: Session, detection: Detection, of: Ranked, view: View) -> Selection:
    """Plan a view of a detection's rows; raises BadValue when it makes no sense there."""
    judged: list[int] = []
    if view.verdict:
        rows = query(Feedback.row).where(Feedback.detection_id == detection.id).distinct()
        if view.verdict not in ("any", "none"):
            rows = rows.where(Feedback.verdict == view.verdict)
        judged = list(session.scalars(rows))
    return search.select(of, view, judged)


def page(
    selection: Selection, view: View, cursor: str | None, limit: int
) -> tuple[list[ResultRow], str | None]:
    """Read one page; returns it and the cursor of the next one (None: it is the last).

    Raises:
        BadCursor: the cursor is one of another view.
    """
    order = _order(view)
    start = positions.decode(cursor, order)
    if start >= selection.of.n_rows:
        return [], None
    found = selection.page(start, limit + 1)
    more = len(found) > limit
    return found[:limit], positions.encode(order, start + limit) if more else None


def _order(view: View) -> str:
    """Name a view in a cursor."""
    if view.sort in SORTS and not view.filtered:
        return view.sort
    told: Any = repr(replace(view))
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
