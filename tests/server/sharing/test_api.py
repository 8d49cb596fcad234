"""Shares over the API: given to people and to everyone, changed, taken back, and what they open."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database
from pynomaly.server.detectors.models import Detector
from pynomaly.server.sharing.models import Share
from pynomaly.server.users.models import User

API = "/api/v1"
WAIT = {"Prefer": "wait=30"}
CSV = b"a,b\n" + b"".join(b"%d.5,%d.25\n" % (i % 13, i % 7) for i in range(80))
LogIn = Callable[..., httpx.Client]
EVE = "eve@example.org"


@pytest.fixture
def eve(log_in: LogIn) -> httpx.Client:
    """Somebody else."""
    return log_in(EVE)


def upload(api: httpx.Client) -> Any:
    """Upload a table; with a worker it is read."""
    answer = api.post(f"{API}/datasets/upload", files={"file": ("t.csv", CSV)}, headers={"Prefer": "wait=20"})
    assert answer.status_code in (201, 202), answer.text
    return answer.json()


def make(api: httpx.Client, kind: str) -> str:
    """Make a dataset (which is never read: no worker runs) or a detector; its address."""
    if kind == "detectors":
        made = api.post(f"{API}/detectors", json={"name": "d"}).json()
    else:
        made = api.post(f"{API}/datasets/upload", files={"file": ("t.csv", CSV)}).json()
    return f"{API}/{kind}/{made['id']}"


@pytest.mark.parametrize("kind", ["datasets", "detectors"])
def test_given_changed_and_taken_back(
    api: httpx.Client, eve: httpx.Client, kind: str, database: Database
) -> None:
    path = make(api, kind)
    shares = f"{path}/shares"
    me = eve.get(f"{API}/auth/me").json()["id"]
    assert eve.get(path).status_code == 404
    assert api.get(shares).json() == {"items": [], "next_cursor": None}
    for _ in range(2):
        given = api.put(shares, json={"email": " Eve@example.org", "access": "view"})
        assert given.status_code == 200, given.text
    assert given.json() | {"created_at": ""} == {
        "user_id": me, "email": EVE, "name": "", "everyone": False, "access": "view", "created_at": "",
    }  # fmt: skip
    assert (eve.get(path).json()["access"], eve.get(f"{API}/{kind}").json()["items"][0]["access"]) == (
        "view", "view",
    )  # fmt: skip
    assert eve.get(path).json()["owner_id"] == api.get(path).json()["owner_id"] != me
    assert api.put(shares, json={"user_id": me, "access": "use"}).json()["access"] == "use"
    assert eve.get(f"{API}/{kind}").json()["items"][0]["access"] == "use"
    assert [share["access"] for share in api.get(shares).json()["items"]] == ["use"]
    for _ in range(2):
        assert api.delete(shares, params={"user_id": me}).status_code == 204
    assert eve.get(path).status_code == 404
    assert eve.get(f"{API}/{kind}").json()["items"] == []
    with database.session() as session:
        word = kind.removesuffix("s")
        acts = select(AuditEntry).where(AuditEntry.action.startswith(f"{word}.")).order_by(AuditEntry.at)
        told = [(entry.action, entry.details.get("access")) for entry in session.scalars(acts)]
    assert told == [(f"{word}.share", "view"), (f"{word}.share", "use"), (f"{word}.unshare", "use")]


@pytest.mark.parametrize("kind", ["datasets", "detectors"])
def test_everyone(api: httpx.Client, eve: httpx.Client, kind: str) -> None:
    path = make(api, kind)
    shares = f"{path}/shares"
    given = api.put(shares, json={"everyone": True, "access": "view"}).json()
    assert (given["everyone"], given["user_id"]) == (True, None)
    assert eve.get(path).json()["access"] == "view"
    api.put(shares, json={"email": EVE, "access": "use"})
    assert eve.get(path).json()["access"] == "use"
    assert len(eve.get(f"{API}/{kind}").json()["items"]) == 1
    first = api.get(shares, params={"limit": 1})
    assert first.json()["items"][0]["everyone"]
    second = api.get(shares, params={"limit": 1, "cursor": first.json()["next_cursor"]}).json()
    assert ([one["email"] for one in second["items"]], second["next_cursor"]) == ([EVE], None)
    assert api.delete(shares, params={"everyone": True}).status_code == 204
    assert eve.get(path).json()["access"] == "use"


@pytest.mark.parametrize("kind", ["datasets", "detectors"])
def test_only_the_owner_and_administrators_share(
    api: httpx.Client, eve: httpx.Client, log_in: LogIn, kind: str
) -> None:
    path = make(api, kind)
    shares, body = f"{path}/shares", {"everyone": True, "access": "use"}
    admin, vera = log_in("root@example.org", "admin"), log_in("vera@example.org", "viewer")

    def tried(client: httpx.Client) -> list[int]:
        asked = (client.get(shares), client.put(shares, json=body), client.delete(f"{shares}?everyone=true"))
        return [answer.status_code for answer in asked]

    assert tried(eve) == [404, 404, 404]
    assert tried(vera) == [404, 403, 403]
    for access in ("view", "use"):
        api.put(shares, json={"email": EVE, "access": access})
        assert tried(eve) == [403, 403, 403]
        assert eve.delete(path).status_code == 403
    assert tried(admin) == [200, 200, 204]
    assert admin.get(path).json()["access"] == "own"


@pytest.mark.parametrize(
    "body",
    [
        {"access": "view"},
        {"access": "view", "everyone": False},
        {"access": "own", "everyone": True},
        {"access": "view", "everyone": True, "email": EVE},
        {"access": "view", "email": EVE, "user_id": "x"},
        {"access": "view", "email": "nobody@example.org"},
        {"access": "view", "user_id": "x"},
        {"access": "view", "email": "ada@example.org"},
        {"access": "view", "everyone": True, "owner_id": "x"},
    ],
)
def test_what_is_refused(api: httpx.Client, eve: httpx.Client, body: dict[str, Any]) -> None:
    shares = f"{make(api, 'detectors')}/shares"
    answer = api.put(shares, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    for asked in ({}, {"everyone": False}, {"everyone": True, "user_id": "x"}):
        assert api.delete(shares, params=asked).status_code == 422
    assert api.get(shares).json()["items"] == []


def test_a_disabled_account_is_given_nothing(
    api: httpx.Client, eve: httpx.Client, database: Database
) -> None:
    with database.session() as session:
        session.scalars(select(User).where(User.email == EVE)).one().active = False
    shares = f"{make(api, 'detectors')}/shares"
    assert api.put(shares, json={"email": EVE, "access": "view"}).status_code == 422


def test_shares_go_with_the_thing_and_with_the_person(
    api: httpx.Client, eve: httpx.Client, log_in: LogIn, database: Database
) -> None:
    log_in("bob@example.org")
    detector = make(api, "detectors")
    for email in (EVE, "bob@example.org"):
        api.put(f"{detector}/shares", json={"email": email, "access": "use"})
    with database.session() as session:
        session.delete(session.scalars(select(User).where(User.email == "bob@example.org")).one())
    assert [share["email"] for share in api.get(f"{detector}/shares").json()["items"]] == [EVE]
    assert api.delete(detector).status_code == 204
    with database.session() as session:
        assert session.scalars(select(Share)).all() == []
        assert session.scalars(select(Detector)).all() == []


@pytest.mark.usefixtures("worker")
def test_what_a_share_opens_and_what_its_end_closes(api: httpx.Client, eve: httpx.Client) -> None:
    """With `view` one looks, with `use` one detects; when it is taken back, the results go out of sight."""
    dataset = upload(api)
    path = f"{API}/datasets/{dataset['id']}"
    me = eve.get(f"{API}/auth/me").json()["id"]
    body = {"dataset_id": dataset["id"], "algorithm": "isolation_forest"}
    own = eve.post(f"{API}/detectors", json={"name": "own"}).json()["id"]
    api.put(f"{path}/shares", json={"email": EVE, "access": "view"})
    for tail in ("", "/profile", "/quality", "/rows", "/download"):
        assert eve.get(path + tail).status_code == 200, tail
    assert eve.patch(path, json={"name": "x"}).status_code == 403
    assert eve.post(f"{API}/detection/detect", json=body).status_code == 403
    assert eve.post(f"{API}/detectors/{own}/train", json={"dataset_id": dataset["id"]}).status_code == 403
    api.put(f"{path}/shares", json={"email": EVE, "access": "use"})
    result = eve.post(f"{API}/detection/detect", json=body, headers=WAIT)
    assert result.status_code == 201, result.text
    result_path = f"{API}/detection/results/{result.json()['id']}"
    assert len(eve.get(f"{result_path}/rows").json()["items"]) == 50
    assert len(eve.get(f"{API}/detection/results").json()["items"]) == 1
    api.delete(f"{path}/shares", params={"user_id": me})
    for tail in ("", "/rows", "/export"):
        assert eve.get(result_path + tail).status_code == 404, tail
    assert eve.get(f"{API}/detection/results").json()["items"] == []
    refused = api.delete(path)
    assert (refused.status_code, refused.json()["details"]) == (409, {"results": 1})
    assert api.delete(path, params={"cascade": True}).status_code == 204


@pytest.mark.usefixtures("worker")
def test_a_shared_detector_is_used_not_changed(api: httpx.Client, eve: httpx.Client) -> None:
    dataset, detector = upload(api), make(api, "detectors")
    api.post(f"{detector}/train", json={"dataset_id": dataset["id"]}, headers=WAIT)
    theirs = upload(eve)
    body = {"dataset_id": theirs["id"], "detector_id": detector.rpartition("/")[2]}
    api.put(f"{detector}/shares", json={"email": EVE, "access": "view"})
    assert eve.post(f"{API}/detection/detect", json=body).status_code == 403
    api.put(f"{detector}/shares", json={"email": EVE, "access": "use"})
    answer = eve.post(f"{API}/detection/detect", json=body, headers=WAIT)
    assert answer.status_code == 201, answer.text
    assert eve.put(detector, json={"name": "mine now"}).status_code == 403
    assert eve.post(f"{detector}/train", json={"dataset_id": theirs["id"]}).status_code == 403
    refused = api.delete(detector)
    assert (refused.status_code, refused.json()["details"]) == (409, {"results": 1})


def test_lists_ask_once(api: httpx.Client, eve: httpx.Client, database: Database) -> None:
    """What one may do with 30 things is found in one query, and of two shares the greater counts."""
    from pynomaly.server.sharing.service import held

    with database.session() as session:
        owner = session.scalars(select(User).where(User.email == "ada@example.org")).one()
        actor = session.scalars(select(User).where(User.email == EVE)).one()
        rows = [Dataset(owner_id=owner.id, name=str(i), filename="f", size_bytes=1) for i in range(3)]
        session.add_all(rows)
        session.flush()
        session.add_all(
            [
                Share(dataset_id=rows[0].id, access="view"),
                Share(dataset_id=rows[1].id, access="view"),
                Share(dataset_id=rows[1].id, user_id=actor.id, access="use"),
                Share(dataset_id=rows[2].id, access="use"),
                Share(dataset_id=rows[2].id, user_id=actor.id, access="view"),
            ]
        )
        session.flush()
        assert list(held(session, actor, Dataset, rows).values()) == ["view", "use", "use"]
        assert list(held(session, owner, Dataset, rows).values()) == ["own"] * 3
