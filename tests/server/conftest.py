"""Fixtures for tests of the web application: a real server on loopback, people, logged-in clients."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest
from fastapi import FastAPI

from pynomaly.server.db import Database
from pynomaly.server.users import logins
from pynomaly.server.users.models import User
from pynomaly.server.users.passwords import hash_password
from pynomaly.server.users.permissions import Role
from pynomaly.server.users.service import add_user
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

PASSWORD = "correct horse battery"
MakeUser = Callable[..., User]
LogIn = Callable[..., httpx.Client]
Serve = Callable[[FastAPI], AbstractContextManager[str]]


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    """The whole application."""
    return create_app(settings, database)


@pytest.fixture
def url(app: FastAPI, serve: Serve) -> Iterator[str]:
    """Address of a real server that runs `app`."""
    with serve(app) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """A client that is not logged in."""
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hash of PASSWORD, which takes 25 ms."""
    return hash_password(PASSWORD)


@pytest.fixture
def make_user(database: Database, password_hash: str) -> MakeUser:
    """Make an account with the password PASSWORD."""

    def make(email: str = "ada@example.org", role: Role = "user") -> User:
        user = User(email=email, name="", role=role, password_hash=password_hash, active=True)
        with database.session() as session:
            add_user(session, user)
            return user

    return make


@pytest.fixture
def log_in(url: str, app: FastAPI, database: Database, make_user: MakeUser) -> Iterator[LogIn]:
    """Make an account and an API client that is logged in to it, as `POST /auth/login` does."""
    clients = []

    def log_in(email: str = "ada@example.org", role: Role = "user") -> httpx.Client:
        user = make_user(email, role)
        with database.session() as session:
            login, _ = logins.open_through_api(session, user, days=1)
        token = app.state.tokens.issue(user.id, login.id)
        client = httpx.Client(base_url=url, timeout=60, headers={"Authorization": f"Bearer {token}"})
        clients.append(client)
        return client

    yield log_in
    for client in clients:
        client.close()


@pytest.fixture
def api(log_in: LogIn) -> httpx.Client:
    """An API client that is logged in as an ordinary user."""
    return log_in()


@pytest.fixture
def browser(url: str, make_user: MakeUser) -> Iterator[httpx.Client]:
    """A client that behaves like a browser and is logged in as an ordinary user, with a cookie."""
    make_user()
    headers = {"Origin": url, "Accept": "text/html"}
    with httpx.Client(base_url=url, timeout=60, headers=headers) as client:
        answer = client.post("/login", data={"email": "ada@example.org", "password": PASSWORD})
        assert answer.status_code == 303
        yield client
