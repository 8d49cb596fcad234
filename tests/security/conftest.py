"""A small world with people, things and shares, made for each question that is asked about it."""

import itertools
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database
from pynomaly.server.detections.models import Detection
from pynomaly.server.detectors.models import Alias, Detector, Model
from pynomaly.server.jobs.models import Job
from pynomaly.server.sharing.models import Share
from pynomaly.server.users import keys, logins, passwords
from pynomaly.server.users.models import User
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "fuzz")]
from rules import Who  # noqa: E402 - found by the line above

PASSWORD = "correct horse battery"
COLUMN = {"name": "amount", "type": "number", "unused": None}


@dataclass
class Cell:
    """One person and the things that a request is about."""

    headers: dict[str, str]
    dataset: str
    detector: str
    detection: str
    job: str
    user: str
    """Somebody else's account."""
    key: str
    login: str
    mine: dict[str, str] = field(default_factory=dict)
    """A dataset and a detector of the one who asks."""


class World:
    """The application with its database, and the making of cells."""

    def __init__(self, home: Path) -> None:
        """Serve from `home`."""
        self.settings = Settings(home=home, rate_limit_per_minute=0, rate_limit_anonymous_per_minute=0)
        self.database = Database(self.settings)
        self.app: FastAPI = create_app(self.settings, self.database)
        self.hash = passwords.hash_password(PASSWORD)
        self._number = itertools.count()
        self._readers: dict[Who, Cell] = {}

    def user(self, role: str = "user") -> User:
        """Make an account."""
        email = f"person-{next(self._number)}@example.org"
        with self.database.session() as session:
            user = User(email=email, role=role, password_hash=self.hash, name=email.partition("@")[0])
            session.add(user)
            session.flush()
            return user

    def bearer(self, user: User) -> tuple[dict[str, str], str]:
        """Log somebody in through the API; the headers and the log-in's id."""
        with self.database.session() as session:
            login, _ = logins.open_through_api(session, user, days=1)
            token = self.app.state.tokens.issue(user.id, login.id)
            return {"Authorization": f"Bearer {token}"}, login.id

    def api_key(self, user: User, scopes: tuple[str, ...]) -> tuple[dict[str, str], str]:
        """Make an API key; scopes that the role does not have are left out, as nobody could make them."""
        with self.database.session() as session:
            own = [one for one in scopes if one in user.permissions]
            key, secret = keys.create(session, user, "robot", own or ["account:read"])
            return {"X-API-Key": secret}, key.id

    def cell(self, who: Who) -> Cell:
        """Make somebody with things of their own, or of another who shares them."""
        actor = self.user(who.role or "user")
        owner = actor if who.relation == "own" else self.user()
        headers, login = self.bearer(actor)
        key = self.api_key(actor, ("account:read",))[1]
        if who.role is None:
            headers = {}
        elif who.scopes is not None:
            headers = self.api_key(actor, who.scopes)[0]
        made = self.things(owner)
        self._share(made, actor, who.relation)
        mine = made if owner is actor else self.things(actor)
        return Cell(headers, **made, user=self.user().id, key=key, login=login, mine=mine)

    def reader(self, who: Who) -> Cell:
        """A cell for questions that change nothing, made once for all of them."""
        if who not in self._readers:
            self._readers[who] = self.cell(who)
        return self._readers[who]

    def things(self, owner: User) -> dict[str, str]:
        """Make one thing of each kind, still being worked on."""
        with self.database.session() as session:
            job = Job(kind="dataset.ingest", owner_id=owner.id, status="queued")
            dataset = Dataset(
                owner_id=owner.id, name="Payments", filename="p.csv", size_bytes=9, columns=[COLUMN]
            )
            detector = Detector(owner_id=owner.id, name="Watch", algorithm="robust_z")
            session.add_all([job, dataset, detector])
            session.flush()
            job.subject_id, job.payload, dataset.job_id = dataset.id, {"dataset_id": dataset.id}, job.id
            for version in (1, 2):
                model = Model(
                    owner_id=owner.id,
                    detector_id=detector.id,
                    version=version,
                    algorithm="robust_z",
                    threshold=1.0,
                    blob_key=f"models/{detector.id}-{version}",
                )
                session.add(model)
                session.flush()
            session.add(Alias(detector_id=detector.id, name="champion", model_id=model.id))
            detection = Detection(
                owner_id=owner.id, dataset_id=dataset.id, detector_id=detector.id, algorithm="robust_z"
            )
            session.add(detection)
            session.flush()
            return {
                "dataset": dataset.id,
                "detector": detector.id,
                "detection": detection.id,
                "job": job.id,
            }

    def _share(self, made: dict[str, str], actor: User, relation: str) -> None:
        if relation in ("own", "stranger"):
            return
        to = None if relation.startswith("everyone") else actor.id
        access = relation.rpartition("_")[2]
        with self.database.session() as session:
            session.add(Share(dataset_id=made["dataset"], user_id=to, access=access))
            session.add(Share(detector_id=made["detector"], user_id=to, access=access))

    def routes(self) -> list[tuple[str, str]]:
        """Every method and path, pages and files too."""
        return [
            (method, str(route.path))
            for route in iter_route_contexts(self.app.routes)
            for method in sorted(getattr(route, "methods", None) or ())
        ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    """One application on SQLite for the questions of a module."""
    home = tmp_path_factory.mktemp("world")
    shutil.copyfile(sqlite_template, home / "pynomaly.db")
    world = World(home)
    yield world
    world.database.close()


@pytest.fixture(scope="module")
def url(world: World, serve: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[str]:
    """Address of a real server of the world."""
    with serve(world.app) as url:
        yield url


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    """A client that follows no redirects."""
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def send(http: httpx.Client) -> Callable[..., Any]:
    """Send a request without the cookies of those before it."""

    def send(method: str, path: str, **options: Any) -> Any:
        http.cookies.clear()
        return http.request(method, path, **options)

    return send
