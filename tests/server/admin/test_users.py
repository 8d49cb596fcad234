"""Administrators make, find, change and delete accounts; nobody else does; one administrator always stays."""

import threading
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from sqlalchemy import select

from pynomaly.errors import Conflict
from pynomaly.server.admin import service
from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database
from pynomaly.server.detections.models import Detection, Feedback
from pynomaly.server.detectors.models import Detector, Model
from pynomaly.server.jobs.models import Job
from pynomaly.server.sharing.models import Share
from pynomaly.server.users.models import User

PASSWORD = "correct horse battery"
LogIn = Callable[..., httpx.Client]
MakeUser = Callable[..., User]
USERS = "/api/v1/admin/users"
ME = "/api/v1/auth/me"
BOB = {"email": "bob@example.org", "name": "Bob", "role": "user", "password": PASSWORD}


@pytest.fixture
def admin(log_in: LogIn) -> httpx.Client:
    """An administrator's client."""
    return log_in("root@example.org", "admin")


def entries(database: Database, action: str) -> list[AuditEntry]:
    """What the audit log has of an action."""
    with database.session(write=False) as session:
        return list(
            session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.at))
        )


def test_an_account_is_made_and_used(admin: httpx.Client, url: str, database: Database) -> None:
    made = admin.post(USERS, json=BOB)
    bob = made.json()
    assert (made.status_code, made.headers["location"]) == (201, f"{USERS}/{bob['id']}")
    assert {key: bob[key] for key in ("email", "name", "role", "active")} == {
        "email": "bob@example.org",
        "name": "Bob",
        "role": "user",
        "active": True,
    }
    assert "password" not in made.text
    body = {"email": "bob@example.org", "password": PASSWORD}
    assert httpx.post(f"{url}/api/v1/auth/login", json=body, timeout=30).status_code == 200
    assert admin.post(USERS, json=BOB).status_code == 409
    [entry] = [one for one in entries(database, "user.create") if one.actor_email]
    assert (entry.actor_email, entry.target_id) == ("root@example.org", bob["id"])
    assert admin.get(f"{USERS}/{bob['id']}").json() == bob


def test_making_one_twice_with_one_key_makes_one(admin: httpx.Client) -> None:
    headers = {"Idempotency-Key": "k"}
    first, second = (admin.post(USERS, json=BOB, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()


def test_bad_accounts_are_refused(admin: httpx.Client) -> None:
    for change in (
        {"email": "x"},
        {"role": "root"},
        {"password": "short"},
        {"password": "bob@example.org"},
        {"name": "a\tb"},
        {"id": "x"},
        {"active": False},
        {"password_hash": "x"},
    ):
        answer = admin.post(USERS, json={**BOB, **change})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"#/{next(iter(change))}")
        assert "details" not in answer.json(), "the pointer is told once"


def test_the_list_is_filtered_searched_sorted_and_paged(admin: httpx.Client, make_user: MakeUser) -> None:
    for email, role in (
        ("a_b@example.org", "viewer"),
        ("acb@example.org", "user"),
        ("zoe@example.org", "user"),
    ):
        make_user(email, role)

    def emails(**query: object) -> list[str]:
        answer = admin.get(USERS, params={"sort": "email", **query})
        assert answer.status_code == 200, answer.text
        return [one["email"].partition("@")[0] for one in answer.json()["items"]]

    assert emails() == ["a_b", "acb", "root", "zoe"]
    assert emails(sort="-email") == ["zoe", "root", "acb", "a_b"]
    assert emails(sort="created_at") == ["root", "a_b", "acb", "zoe"]
    assert emails(role="user") == ["acb", "zoe"]
    assert emails(search="A_B") == ["a_b"]
    assert emails(search="%") == []
    assert emails(active=False) == []
    first = admin.get(USERS, params={"sort": "email", "limit": 3}).json()
    assert emails(limit=3, cursor=first["next_cursor"]) == ["zoe"]
    for wrong in ({"sort": "password_hash"}, {"sort": "email desc"}, {"role": "root"}, {"q": "x"}):
        assert admin.get(USERS, params=wrong).status_code == 422


def test_a_role_changes_at_once(admin: httpx.Client, api: httpx.Client, database: Database) -> None:
    ada = api.get(ME).json()["id"]
    assert api.get(USERS).status_code == 403
    tag = admin.get(f"{USERS}/{ada}").headers["etag"]
    changed = admin.patch(f"{USERS}/{ada}", json={"role": "admin"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["role"]) == (200, "admin")
    assert api.get(USERS).status_code == 200
    stale = admin.patch(f"{USERS}/{ada}", json={"role": "user"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert admin.patch(f"{USERS}/{ada}", json={"role": "viewer", "name": "Ada"}).status_code == 200
    assert api.get(USERS).status_code == 403
    assert [one.details for one in entries(database, "user.change")] == [
        {"role": ["user", "admin"]},
        {"role": ["admin", "viewer"], "name": ["", "Ada"]},
    ]


def test_disabling_works_at_once_and_enabling_revives_no_session(
    admin: httpx.Client, api: httpx.Client, url: str
) -> None:
    ada = api.get(ME).json()["id"]
    assert admin.patch(f"{USERS}/{ada}", json={"active": False}).json()["active"] is False
    assert api.get(ME).status_code == 401
    body = {"email": "ada@example.org", "password": PASSWORD}
    assert httpx.post(f"{url}/api/v1/auth/login", json=body, timeout=30).status_code == 401
    assert admin.patch(f"{USERS}/{ada}", json={"active": True}).status_code == 200
    assert api.get(ME).status_code == 401
    assert httpx.post(f"{url}/api/v1/auth/login", json=body, timeout=30).status_code == 200


def test_all_sessions_of_an_account_end(admin: httpx.Client, api: httpx.Client, url: str) -> None:
    ada = api.get(ME).json()["id"]
    body = {"name": "k", "scopes": ["account:read"]}
    key = {"X-API-Key": api.post("/api/v1/auth/api-keys", json=body).json()["key"]}
    assert admin.delete(f"{USERS}/{ada}/sessions").status_code == 204
    assert api.get(ME).status_code == 401
    assert httpx.get(url + ME, headers=key).status_code == 200
    assert admin.delete(f"{USERS}/{ada}/sessions?api_keys=true").status_code == 204
    assert httpx.get(url + ME, headers=key).status_code == 401
    assert admin.get(ME).status_code == 200


def test_the_last_administrator_stays(admin: httpx.Client, make_user: MakeUser) -> None:
    root = admin.get(ME).json()["id"]
    for answer in (
        admin.patch(f"{USERS}/{root}", json={"role": "user"}),
        admin.patch(f"{USERS}/{root}", json={"active": False}),
        admin.delete(f"{USERS}/{root}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert admin.patch(f"{USERS}/{root}", json={"role": "admin", "name": "Root"}).status_code == 200
    second = make_user("second@example.org", "admin")
    assert admin.patch(f"{USERS}/{second.id}", json={"active": False}).status_code == 200
    assert admin.delete(f"{USERS}/{root}").status_code == 409
    assert admin.patch(f"{USERS}/{second.id}", json={"active": True}).status_code == 200
    assert admin.delete(f"{USERS}/{root}").status_code == 204


def test_of_two_who_demote_each_other_one_stays(database: Database, make_user: MakeUser) -> None:
    users = [make_user(f"{name}@example.org", "admin") for name in ("one", "two")]
    outcomes: list[str] = []
    begin, both_are_here = threading.Barrier(2), threading.Barrier(2)

    def demote(actor: User, target: User) -> None:
        begin.wait()
        try:
            with database.session() as session:
                user = service.get(session, actor, target.id, lock=True)
                with suppress(threading.BrokenBarrierError):  # who gets here first waits for the other
                    both_are_here.wait(1)
                service.change(session, actor, user, role="user")
            outcomes.append("done")
        except Conflict:
            outcomes.append("conflict")

    pairs = (users, users[::-1])
    threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "done"]
    with database.session(write=False) as session:
        assert len(session.scalars(select(User).where(User.role == "admin")).all()) == 1


def test_deleting_an_account_ends_everything_of_it(
    admin: httpx.Client, api: httpx.Client, database: Database
) -> None:
    ada = api.get(ME).json()["id"]
    body = {"name": "k", "scopes": ["account:read"]}
    api.post("/api/v1/auth/api-keys", json=body)
    tag = admin.get(f"{USERS}/{ada}").headers["etag"]
    assert admin.delete(f"{USERS}/{ada}", headers={"If-Match": '"x"'}).status_code == 412
    assert admin.delete(f"{USERS}/{ada}", headers={"If-Match": tag}).status_code == 204
    assert api.get(ME).status_code == 401
    assert admin.get(f"{USERS}/{ada}").status_code == 404
    [entry] = entries(database, "user.delete")
    assert (entry.target_name, entry.actor_email) == ("ada@example.org", "root@example.org")


def things(database: Database, owner: User, judge: User) -> str:
    """Give a user a shared dataset, a detector, a model, a job, and a result with feedback; gives its id."""
    with database.session() as session:
        dataset = Dataset(owner_id=owner.id, name="d", filename="d.csv", size_bytes=1)
        detector = Detector(owner_id=owner.id, name="x", algorithm="hbos")
        job = Job(kind="k", owner_id=owner.id)
        session.add_all([dataset, detector, job])
        session.flush()
        model = Model(
            owner_id=owner.id,
            detector_id=detector.id,
            version=1,
            algorithm="hbos",
            threshold=0.5,
            blob_key="b",
        )
        result = Detection(owner_id=owner.id, dataset_id=dataset.id, algorithm="hbos")
        session.add_all([model, result, Share(dataset_id=dataset.id, user_id=judge.id, access="use")])
        session.flush()
        for row, user in ((1, owner), (2, owner), (2, judge)):
            session.add(Feedback(detection_id=result.id, row=row, user_id=user.id, verdict="anomaly"))
        return result.id


def test_what_an_account_owns_goes_to_another(
    admin: httpx.Client, make_user: MakeUser, database: Database
) -> None:
    ada, bob = make_user("ada@example.org"), make_user("bob@example.org")
    things(database, ada, bob)
    assert admin.delete(f"{USERS}/{ada.id}").status_code == 409
    for wrong in (ada.id, "x", "00000000-0000-0000-0000-000000000000"):
        answer = admin.delete(f"{USERS}/{ada.id}", params={"transfer_to": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/transfer_to")
    admin.patch(f"{USERS}/{bob.id}", json={"active": False})
    assert admin.delete(f"{USERS}/{ada.id}", params={"transfer_to": bob.id}).status_code == 422
    admin.patch(f"{USERS}/{bob.id}", json={"active": True})
    assert admin.delete(f"{USERS}/{ada.id}", params={"transfer_to": bob.id}).status_code == 204
    with database.session(write=False) as session:
        for kind in (Dataset, Detector, Model, Detection, Job):
            assert session.scalars(select(kind.owner_id)).all() == [bob.id], kind
        assert sorted(session.execute(select(Feedback.row, Feedback.user_id)).all()) == [
            (1, bob.id),
            (2, bob.id),
        ]
        assert session.scalars(select(Share)).all() == []
    [entry] = entries(database, "user.delete")
    assert entry.details == {
        "role": "user",
        "transferred_to": bob.id,
        "datasets": 1,
        "detectors": 1,
        "models": 1,
        "results": 1,
    }


def test_only_administrators_may(api: httpx.Client, log_in: LogIn, admin: httpx.Client) -> None:
    root = admin.get(ME).json()["id"]
    for client in (api, log_in("vera@example.org", "viewer")):
        for method, path in (
            ("GET", USERS),
            ("POST", USERS),
            ("GET", f"{USERS}/{root}"),
            ("PATCH", f"{USERS}/{root}"),
            ("DELETE", f"{USERS}/{root}"),
            ("DELETE", f"{USERS}/{root}/sessions"),
            ("POST", f"{USERS}/{root}/password-reset"),
        ):
            assert client.request(method, path, json={}).status_code == 403, (method, path)


def test_a_stolen_key_makes_nobody_an_administrator(
    admin: httpx.Client, api: httpx.Client, url: str, make_user: MakeUser
) -> None:
    body = {"name": "k", "scopes": ["users:read", "users:write"]}
    key = admin.post("/api/v1/auth/api-keys", json=body).json()["key"]
    root, ada = (client.get(ME).json()["id"] for client in (admin, api))
    other = make_user("other@example.org", "admin")
    with httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=30) as program:
        assert program.post(USERS, json=BOB).status_code == 201
        assert program.patch(f"{USERS}/{ada}", json={"role": "viewer"}).status_code == 200
        for method, path, change in (
            ("POST", USERS, {**BOB, "email": "x@example.org", "role": "admin"}),
            ("PATCH", f"{USERS}/{ada}", {"role": "admin"}),
            ("PATCH", f"{USERS}/{other.id}", {"active": False}),
            ("DELETE", f"{USERS}/{other.id}", None),
            ("DELETE", f"{USERS}/{root}/sessions", None),
            ("POST", f"{USERS}/{ada}/password-reset", None),
            ("POST", f"{USERS}/{root}/password-reset", None),
        ):
            answer = program.request(method, path, json=change)
            assert answer.status_code == 403, (method, path)
            assert answer.json()["code"] == "forbidden"


def test_the_service_itself_refuses_others(database: Database, make_user: MakeUser) -> None:
    ada = make_user()
    with database.session() as session:
        for act in (service.change, service.delete, service.end_sessions, service.list_page):
            with pytest.raises(Exception, match="does not have the permission"):
                act(session, ada) if act is service.list_page else act(session, ada, ada)  # type: ignore[operator]
