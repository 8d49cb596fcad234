"""Previews: settings tried on a sample of a dataset, before a detection looks at all of its rows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session, joinedload

from pynomaly.server.access import find, require
from pynomaly.server.datasets import service as datasets
from pynomaly.server.db import new_id, utc_now
from pynomaly.server.detections.models import Preview
from pynomaly.server.detectors import service as detectors
from pynomaly.server.jobs import queue
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

PREVIEW = "detection.preview"
ROWS = 2_000
"""Of so many rows a preview is made, chosen at random."""

KEPT = timedelta(days=1)
FIRST = 2
"""Its job runs before detections and uploads: somebody waits for it, and it is short."""


def start(session: Session, actor: User, dataset_id: str, recipe: Mapping[str, Any]) -> Preview:
    """Enqueue the job that tries a recipe, given as `service.start` takes one, on a sample.

    Raises:
        NotReady, SchemaMismatch, NoUsableColumns, UnknownAlgorithm, BadParameter, MissingExtra, Forbidden: as
            starting the detection would.
    """
    require(actor, "detections:write")
    dataset = datasets.get_ready(session, actor, dataset_id)
    given = dict(recipe)
    checked = detectors.check_recipe(
        given.pop("algorithm"), given.pop("parameters"), given.pop("columns"), given.pop("seed"), given
    )
    datasets.check_usable(dataset, checked["columns"])
    preview = Preview(id=new_id(), owner_id=actor.id, dataset_id=dataset.id, recipe=checked)
    session.add(preview)
    preview.job = queue.prepare(
        session, PREVIEW, {}, owner_id=actor.id, subject_id=preview.id, priority=FIRST
    )
    session.flush()
    return preview


def get(session: Session, actor: User, id_: str) -> Preview:
    """Return one preview with its job; raises NotFound when it is gone, or another's."""
    return find(session, actor, Preview, id_, joinedload(Preview.job))


def sweep(session: Session, _settings: Settings) -> None:
    """Delete previews of yesterday."""
    session.execute(delete(Preview).where(Preview.created_at < utc_now() - KEPT))
