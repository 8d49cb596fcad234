"""Detectors as the API shows them."""

from typing import Any

from sqlalchemy.orm import Session

from pynomaly.server.detectors import service
from pynomaly.server.detectors.models import Detector
from pynomaly.server.detectors.schemas import DetectorAnswer, DetectorDetail, ModelAnswer, VersionAnswer
from pynomaly.server.detectors.versions import Version
from pynomaly.server.sharing.service import Held, held
from pynomaly.server.users.models import User


def present(session: Session, actor: User, detector: Detector) -> DetectorDetail:
    """Put the trained version in use beside the definition."""
    model = service.model_of(session, detector)
    access = held(session, actor, Detector, [detector])[detector.id]
    in_use = ModelAnswer.model_validate(model) if model else None
    return DetectorDetail.model_validate(shown(detector, access) | {"model": in_use})


def shown(detector: Detector, access: Held) -> dict[str, Any]:
    """Give a detector's fields, with what the actor may do with it."""
    names = DetectorAnswer.model_fields.keys() - {"access"}
    fields = {name: getattr(detector, name) for name in names}
    return fields | service.told_ways(detector) | {"access": access}


def present_version(version: Version) -> VersionAnswer:
    """Put a version's names beside it."""
    fields = ModelAnswer.model_validate(version.model).model_dump()
    return VersionAnswer(**fields, active=version.active, aliases=version.aliases)
