"""Find detectors by what inference clients call models: an id, or a name that is unique among the visible."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, NotFound
from pynomaly.server.access import Need, find, visible
from pynomaly.server.detectors.models import Detector, Model
from pynomaly.server.paging import UUID
from pynomaly.server.users.models import User

MOST_NAMED = 20
"""Ids that are told when a name is not unique."""


def named(session: Session, actor: User, name: str, need: Need = "view") -> Detector:
    """Find a detector by its id or name.

    Raises:
        NotFound: there is none, or the actor may not see it.
        Conflict: several are so called; it names their ids.
        Forbidden: the actor may see it, but not use it.
    """
    if UUID.fullmatch(name):
        return find(session, actor, Detector, name, need=need)
    called = visible(actor, Detector, need).where(Detector.name == name).order_by(Detector.created_at)
    found = list(session.scalars(called.limit(MOST_NAMED + 1)))
    if len(found) > 1:
        ids = [detector.id for detector in found[:MOST_NAMED]]
        raise Conflict(f"Several detectors are called {name[:200]!r}; ask by id: {', '.join(ids)}.", ids=ids)
    if not found and need != "view":
        return find(session, actor, Detector, named(session, actor, name).id, need=need)  # which refuses it
    if not found:
        raise NotFound("There is no detector with this id or name, or you may not see it.")
    return found[0]


def versions(session: Session, detector: Detector) -> list[int]:
    """Number all trained versions of a detector."""
    query = select(Model.version).where(Model.detector_id == detector.id).order_by(Model.version)
    return list(session.scalars(query))
