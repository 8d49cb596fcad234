"""`Idempotency-Key`: however often and at whatever moment a request is sent again, there is one effect."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, select

from pynomaly.errors import Conflict
from pynomaly.server.db import Database, utc_now
from pynomaly.server.detectors.models import Detector
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.app import create_app
from pynomaly.server.web.deps import SessionDep, may
from pynomaly.server.web.facts import header_names
from pynomaly.server.web.idempotency import KEPT, STALE, Idempotent, IdempotentSecret
from pynomaly.server.web.models import IdempotencyKey
from pynomaly.server.web.schema import Answer, Body
from pynomaly.settings import Settings

LogIn = Callable[..., httpx.Client]
PATH = "/api/v1/things"


class NewThing(Body):
    """What the test's route makes a detector of."""

    name: str


class Made(Answer):
    """What it answers."""

    id: str
    name: str


class Hold:
    """Lets a test stop a request in the middle of its work."""

    def __init__(self) -> None:
        """Hold nobody yet."""
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()


@pytest.fixture
def hold() -> Hold:
    """Where the route waits."""
    return Hold()


@pytest.fixture
def app(app: FastAPI, hold: Hold) -> FastAPI:
    """The application, with routes that make a detector each time they are asked."""
    router = APIRouter(prefix=PATH, route_class=ApiRoute)
    writer = Annotated[User, may("detectors:write")]

    def make(actor: User, session: SessionDep, body: NewThing, response: Response) -> Made:
        detector = Detector(owner_id=actor.id, name=body.name, algorithm="hbos")
        session.add(detector)
        session.flush()
        hold.reached.set()
        assert hold.go_on.wait(20)
        if body.name == "refused":
            raise Conflict
        response.headers["Location"] = f"{PATH}/{detector.id}"
        return Made.model_validate(detector)

    @router.post("", status_code=201, dependencies=[Idempotent])
    def create(actor: writer, session: SessionDep, body: NewThing, response: Response) -> Made:
        return make(actor, session, body, response)

    @router.post("/secret", status_code=201, dependencies=[IdempotentSecret])
    def create_secret(actor: writer, session: SessionDep, body: NewThing, response: Response) -> Made:
        return make(actor, session, body, response)

    app.include_router(router)
    return app


def send(api: httpx.Client, key: str, name: str = "a", path: str = PATH) -> httpx.Response:
    """Ask for a thing."""
    return api.post(path, json={"name": name}, headers={"Idempotency-Key": key})


def made(database: Database) -> int:
    """How many there are."""
    with database.session(write=False) as session:
        return session.scalar(select(func.count()).select_from(Detector)) or 0


def test_sent_again_it_does_nothing_and_answers_the_same(api: httpx.Client, database: Database) -> None:
    first, second = send(api, "k"), send(api, "k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.json(), second.headers["location"]) == (first.json(), first.headers["location"])
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (
        False,
        "true",
    )
    assert made(database) == 1
    assert send(api, "another").json()["id"] != first.json()["id"]
    assert api.post(PATH, json={"name": "a"}).status_code == 201
    assert made(database) == 3


def test_a_key_means_one_request(api: httpx.Client, database: Database) -> None:
    send(api, "k")
    for other in (send(api, "k", "b"), send(api, "k", path=f"{PATH}/secret")):
        assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "#/Idempotency-Key")
    assert made(database) == 1
    for wrong in ("", "k" * 256):
        assert send(api, wrong).status_code == 422


def test_keys_of_two_people_have_nothing_to_do_with_each_other(log_in: LogIn, database: Database) -> None:
    ada, bob = log_in("ada@example.org"), log_in("bob@example.org")
    assert send(ada, "k").json()["id"] != send(bob, "k").json()["id"]
    assert made(database) == 2


def test_a_request_that_failed_may_be_sent_again(api: httpx.Client, database: Database) -> None:
    for _ in range(2):
        assert send(api, "k", "refused").status_code == 409
    assert made(database) == 0
    with database.session(write=False) as session:
        assert session.scalars(select(IdempotencyKey)).all() == []


def test_while_it_is_carried_out_it_is_not_begun_again(
    api: httpx.Client, database: Database, hold: Hold
) -> None:
    hold.go_on.clear()
    answers: list[httpx.Response] = []
    first = threading.Thread(target=lambda: answers.append(send(api, "k")))
    first.start()
    assert hold.reached.wait(20)
    if not database.is_sqlite:  # whose one writer would make this wait
        busy = send(api, "k")
        assert (busy.status_code, busy.headers["retry-after"]) == (409, "1")
    hold.go_on.set()
    first.join(20)
    assert answers[0].status_code == 201
    assert made(database) == 1


def test_an_attempt_that_was_taken_over_has_no_effect(
    api: httpx.Client, database: Database, hold: Hold
) -> None:
    """Its claim is in other hands when it comes to commit: everything it did is rolled back."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    hold.go_on.clear()
    answers: list[httpx.Response] = []
    slow = threading.Thread(target=lambda: answers.append(send(api, "k")))
    slow.start()
    assert hold.reached.wait(20)
    with database.session() as session:
        row = session.scalars(select(IdempotencyKey)).one()
        row.claimed_at = utc_now() - STALE - timedelta(seconds=1)
        row.claim = "another attempt"
    hold.go_on.set()
    slow.join(20)
    assert answers[0].status_code == 409
    assert made(database) == 0


def test_a_claim_whose_process_died_is_taken_over(api: httpx.Client, database: Database) -> None:
    send(api, "k")
    with database.session() as session:
        row = session.scalars(select(IdempotencyKey)).one()
        row.carried_out, row.status, row.body = False, None, None  # as the claim leaves it
    assert send(api, "k").status_code == 409
    with database.session() as session:
        session.scalars(select(IdempotencyKey)).one().claimed_at = utc_now() - STALE - timedelta(seconds=1)
    assert send(api, "k").status_code == 201
    assert made(database) == 2


def test_an_effect_whose_answer_was_lost_is_not_repeated(api: httpx.Client, database: Database) -> None:
    send(api, "k")
    with database.session() as session:
        row = session.scalars(select(IdempotencyKey)).one()
        row.status, row.body = None, None
        row.claimed_at = utc_now() - STALE - timedelta(seconds=1)
    again = send(api, "k")
    assert (again.status_code, "it was lost" in again.json()["detail"]) == (409, True)
    assert made(database) == 1


def test_a_secret_is_not_kept(api: httpx.Client, database: Database) -> None:
    assert send(api, "k", path=f"{PATH}/secret").status_code == 201
    again = send(api, "k", path=f"{PATH}/secret")
    assert (again.status_code, "secret once" in again.json()["detail"]) == (409, True)
    with database.session(write=False) as session:
        assert session.scalars(select(IdempotencyKey.body)).all() == [None]
    assert made(database) == 1


def test_keys_are_forgotten_after_a_day(api: httpx.Client, database: Database) -> None:
    send(api, "k")
    with database.session() as session:
        session.scalars(select(IdempotencyKey)).one().claimed_at = utc_now() - KEPT - timedelta(seconds=1)
    assert send(api, "k").status_code == 201
    assert made(database) == 2


def test_a_job_is_started_once(api: httpx.Client, database: Database) -> None:
    """Routes that answer for a job have their own transaction: it marks the key, too."""
    files = {"file": ("t.csv", b"a,b\n1,2\n3,4\n5,9\n")}
    first, second = (
        api.post("/api/v1/datasets/upload", files=files, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert len(api.get("/api/v1/datasets").json()["items"]) == 1


CREATES_NOTHING = {
    *(f"/api/v1/auth/{name}" for name in ("login", "logout", "refresh", "password", "password-reset")),
    "/api/v1/auth/password-reset/request",
    "/api/v1/detection/score",
    "/api/v1/detectors/{id}/versions/{version}/activate",
    "/api/v1/jobs/{id}/cancel",
    "/v2/models/{name}/infer",
    "/v2/models/{name}/versions/{version}/infer",
}
"""Log-ins are for strangers, whose requests nobody could tell apart; the others leave nothing new."""


def test_every_post_that_creates_takes_a_key(settings: Settings) -> None:
    """A new POST route either takes an `Idempotency-Key`, or is written down as one that creates nothing."""
    posts = {
        route.path: header_names(route.original_route.dependant)
        for route in iter_route_contexts(create_app(settings).routes)
        if "POST" in (getattr(route, "methods", None) or ()) and route.path.startswith(("/api/v1/", "/v2/"))
    }
    assert len(posts) > 20
    assert {path for path, reads in posts.items() if "idempotency-key" not in reads} == CREATES_NOTHING
