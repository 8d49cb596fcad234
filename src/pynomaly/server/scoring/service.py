"""Scoring at once: find the model that a person may use, and write the task for the scoring process."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from pynomaly.server.access import find, require
from pynomaly.server.detectors.models import Detector
from pynomaly.server.detectors.service import ways
from pynomaly.server.detectors.versions import version_of
from pynomaly.server.scoring.rows import checked
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User


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
