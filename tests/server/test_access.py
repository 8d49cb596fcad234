"""What an actor may see."""

import pytest

from pynomaly.errors import Forbidden, NotFound
from pynomaly.server.access import find, require_writer, visible
from pynomaly.server.db import Database, new_id
from pynomaly.server.detectors.models import Detector
from pynomaly.server.users.models import Role, User


def person(role: Role = "user") -> User:
    """Somebody."""
    id_ = new_id()
    return User(id=id_, email=f"{id_}@example.org", password_hash="x", role=role)


def test_owners_administrators_and_strangers(database: Database) -> None:
    """Owners and administrators find it, locked or not; others find nothing, and it is not listed."""
    owner, other, admin = person(), person(), person("admin")
    with database.session() as session:
        session.add_all([owner, other, admin])
        session.flush()
        detector = Detector(owner_id=owner.id, name="d", algorithm="isolation_forest")
        session.add(detector)
    with database.session() as session:
        for actor in (owner, admin):
            assert find(session, actor, Detector, detector.id).id == detector.id
            assert find(session, actor, Detector, detector.id, lock=True).name == "d"
            assert len(session.scalars(visible(actor, Detector)).all()) == 1
        assert session.scalars(visible(other, Detector)).all() == []
        for actor, id_ in (
            (other, detector.id),
            (admin, new_id()),
            (admin, "x"),
            (admin, detector.id.upper()),
        ):
            with pytest.raises(NotFound, match="no detector"):
                find(session, actor, Detector, id_)


def test_a_viewer_is_no_writer() -> None:
    """The others are."""
    require_writer(person())
    require_writer(person("admin"))
    with pytest.raises(Forbidden):
        require_writer(person("viewer"))
