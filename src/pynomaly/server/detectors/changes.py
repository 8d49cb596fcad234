"""Change parts of a detector, and delete one with its versions."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.detection.choice import WAYS
from pynomaly.server import audit
from pynomaly.server.access import require
from pynomaly.server.blobs import delete_after_commit
from pynomaly.server.datasets.checks import check_description
from pynomaly.server.datasets.results import Results, clear
from pynomaly.server.detectors import service
from pynomaly.server.detectors.models import Detector, Model
from pynomaly.server.names import check_name
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User


def patch(session: Session, actor: User, id_: str, changes: dict[str, Any]) -> Detector:
    """Change what `changes` name; parameters that are left out stay, one threshold takes another's place.

    Another algorithm begins with its defaults.

    Raises:
        NotReady: it is being trained, and more than its name is to change.
        UnknownAlgorithm, BadParameter, MissingExtra: as the catalogue says.
        BadValue: a name, description or column cannot be stored.
        NotFound, Forbidden: the actor may not see, or may not change it.
    """
    require(actor, "detectors:write")
    detector = service.get(session, actor, id_, need="own", lock=True)
    if "name" in changes:
        detector.name = check_name(changes["name"])
    if "description" in changes:
        detector.description = check_description(changes["description"])
    if changes.keys() - {"name", "description"}:
        service.redefine(detector, _recipe(detector, changes))
    session.flush()
    return detector


def _recipe(detector: Detector, changes: dict[str, Any]) -> dict[str, Any]:
    algorithm = changes.get("algorithm", detector.algorithm)
    kept = detector.parameters if algorithm == detector.algorithm else {}
    moved = changes.keys() & WAYS.keys()
    recipe = service.check_recipe(
        algorithm,
        {**kept, **changes.get("parameters", {})},
        changes.get("columns", detector.columns),
        changes.get("seed", detector.seed),
        {way: changes[way] for way in moved} if moved else service.ways(detector),
    )
    return recipe | ({"threshold": None} if moved else {})


def delete(
    session: Session,
    actor: User,
    storage: LocalStorage,
    results: Results,
    id_: str,
    *,
    cascade: bool = False,
) -> None:
    """Delete a detector with its versions and shares; with `cascade` also all results that it gave.

    Raises:
        NotReady: it is being trained, or detections work with it.
        Conflict: results depend on it.
        NotFound, Forbidden: the actor may not see, or may not delete it.
    """
    require(actor, "detectors:write")
    detector = service.get(session, actor, id_, need="own", lock=True)
    service.refuse_while_training(detector)
    gone = clear(session, storage, results, detector.name, cascade=cascade, detector_id=detector.id)
    models = list(session.scalars(select(Model.blob_key).where(Model.detector_id == detector.id)))
    audit.record(session, actor, "detector.delete", detector, results=gone, versions=len(models))
    for key in models:
        delete_after_commit(session, storage, key)
    session.delete(detector)
    session.flush()
