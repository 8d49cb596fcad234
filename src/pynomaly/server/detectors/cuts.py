"""Move a detector's threshold without training again; its numbers are found in a process of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pynomaly.detection.choice import Choice
from pynomaly.errors import BadParameter, Conflict, NotReady
from pynomaly.server import audit, process
from pynomaly.server.access import require
from pynomaly.server.detectors import service
from pynomaly.server.detectors.models import Detector, Model
from pynomaly.server.detectors.tasks import model_key
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

WORK = "pynomaly.server.detectors.cut_work:run"
SECONDS = 60
"""Reading even a large model file takes no longer."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the threshold of a version is to be: a score, and the share of the training rows above it."""

    model_id: str
    version: int
    ways: Mapping[str, Any]
    by_hand: float | None
    threshold: float
    flagged_share: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """A threshold that is asked for, and the version it is for; `find` needs no transaction."""

    model_id: str
    version: int
    path: Path
    choice: Choice

    def find(self, settings: Settings) -> Cut:
        """Find out what score it is."""
        payload = {
            "model": str(self.path),
            "key": model_key(settings).hex(),
            "way": self.choice.way,
            "value": self.choice.value,
        }
        found = process.run(WORK, payload, memory_mib=settings.job_memory_mib, timeout_seconds=SECONDS)
        by_hand = self.choice.number if self.choice.way == "value" else None
        return Cut(self.model_id, self.version, self.choice.ways(), by_hand, **found)


def ask(session: Session, actor: User, storage: LocalStorage, id_: str, wanted: Mapping[str, Any]) -> Wanted:
    """Check what is asked for: exactly one of the four ways, or `threshold`, a score.

    Raises:
        BadParameter: none or several are given, or a value is out of its range.
        NotReady: the detector is not trained, or is being trained.
        NotFound, Forbidden: the actor may not see, or may not change it.
    """
    require(actor, "detectors:write")
    detector = service.get(session, actor, id_, need="own")
    service.refuse_while_training(detector)
    model = _in_use(session, detector)
    given = {name: value for name, value in wanted.items() if value is not None}
    if len(given) != 1:
        raise BadParameter("Give exactly one of contamination, max_alerts, fdr, quantile and threshold.")
    choice = Choice.at(given["threshold"]) if "threshold" in given else Choice.of(given)
    return Wanted(model.id, model.version, storage.open_path(model.blob_key), choice)


def move(session: Session, actor: User, id_: str, cut: Cut) -> Detector:
    """Move the threshold; raises Conflict when another version has come into use meanwhile."""
    detector = service.get(session, actor, id_, need="own", lock=True)
    service.refuse_while_training(detector)
    if detector.model_id != cut.model_id:
        raise Conflict("Another version has come into use meanwhile: try again.")
    if cut.by_hand is None:
        for way, value in service.check_ways(cut.ways).items():
            setattr(detector, way, value)
    detector.threshold = cut.by_hand
    session.flush()
    audit.record(session, actor, "detector.threshold", detector, version=cut.version, threshold=cut.threshold)
    return detector


def _in_use(session: Session, detector: Detector) -> Model:
    model = service.model_of(session, detector)
    if model is None:
        raise NotReady(f"The detector {detector.name!r} is not trained: train it first.")
    return model
