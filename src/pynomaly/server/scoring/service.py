"""Scoring at once: find the model that a person may use, and write the task for the scoring process."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.errors import NotFound, NotReady
from pynomaly.server.access import find, require
from pynomaly.server.detectors.models import Alias, Detector, Model
from pynomaly.server.detectors.service import ways
from pynomaly.server.scoring.rows import checked
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User

PRODUCTION = "production"
"""The alias of the version in use."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A detector's version, looked up; `chosen` is where the detector's threshold is now."""

    detector_id: str
    detector_name: str
    model_id: str
    version: int
    columns: list[dict[str, Any]]
    path: str
    chosen: dict[str, Any]

    def task(self, rows: Sequence[Mapping[str, Any]], explain: bool = False) -> bytes:
        """Write the task of scoring these rows.

        Raises:
            BadValue: a column is missing or unknown, or a value has the wrong type.
        """
        return json.dumps(
            {
                "model_id": self.model_id,
                "path": self.path,
                "chosen": self.chosen,
                "columns": [column["name"] for column in self.columns],
                "rows": checked(rows, self.columns),
                "explain": explain,
            },
            allow_nan=False,
        ).encode()


def choose(
    session: Session,
    actor: User,
    storage: LocalStorage,
    detector_id: str,
    version: int | str | None = None,
) -> Chosen:
    """Find the version of a detector to score with: the one in use, or by number or alias.

    Raises:
        NotFound: there is no such detector or version, or the actor may not see it.
        NotReady: the detector is not trained.
        Forbidden: the actor may only look.
    """
    require(actor, "detections:write")
    detector = find(session, actor, Detector, detector_id, need="use")
    model = version_of(session, detector, version)
    return Chosen(
        detector.id,
        detector.name,
        model.id,
        model.version,
        model.columns,
        str(storage.open_path(model.blob_key)),
        {"value": detector.threshold} if detector.threshold is not None else ways(detector),
    )


def version_of(session: Session, detector: Detector, version: int | str | None) -> Model:
    """Find a version by its number or an alias; without either, the one in use."""
    if version is None or version == PRODUCTION:
        model = session.get(Model, detector.model_id) if detector.model_id is not None else None
        if model is None:
            raise NotReady(f"The detector {detector.name!r} is not trained: train it first.")
        return model
    query = select(Model).where(Model.detector_id == detector.id)
    if isinstance(version, int) or (version.isascii() and version.isdigit() and len(version) < 10):
        query = query.where(Model.version == int(version))
    else:
        query = query.join(Alias, Alias.model_id == Model.id).where(
            Alias.detector_id == detector.id, Alias.name == version
        )
    if (found := session.scalars(query).first()) is None:
        raise NotFound(f"The detector {detector.name!r} has no version {str(version)[:64]!r}.")
    return found
