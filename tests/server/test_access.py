"""What an actor may see."""

import pytest

from pynomaly.errors import Forbidden, NotFound
from pynomaly.server.access import find, require, visible
from pynomaly.server.db import Database, new_id
from pynomaly.server.detectors.models import Detector
from pynomaly.server.sharing.models import Share
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import Role


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
    require(person(), "datasets:write")
    require(person("admin"), "datasets:write")
    with pytest.raises(Forbidden, match="datasets:write"):
        require(person("viewer"), "datasets:write")


def test_shares_open_as_much_as_they_say(database: Database) -> None:
    """`view` lets look, `use` lets work; only the owner changes; a share with everyone is one with each."""
    owner, other, third = person(), person(), person()
    with database.session() as session:
        session.add_all([owner, other, third])
        session.flush()
        detector = Detector(owner_id=owner.id, name="d", algorithm="isolation_forest")
        session.add(detector)
        session.flush()
        share = Share(detector_id=detector.id, user_id=other.id, access="view")
        session.add(share)
        session.flush()
        assert find(session, other, Detector, detector.id).id == detector.id
        for need in ("use", "own"):
            with pytest.raises(Forbidden):
                find(session, other, Detector, detector.id, need=need)
        with pytest.raises(NotFound):
            find(session, third, Detector, detector.id)
        share.access = "use"
        session.flush()
        assert find(session, other, Detector, detector.id, need="use").id == detector.id
        session.add(Share(detector_id=detector.id, access="view"))
        session.flush()
        assert find(session, third, Detector, detector.id).id == detector.id
        with pytest.raises(Forbidden, match="ask its owner"):
            find(session, third, Detector, detector.id, need="use")
