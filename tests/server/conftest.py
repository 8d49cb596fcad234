"""Fixtures for tests of the web application: a real server on loopback, people, logged-in clients."""

import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from pynomaly.server.db import Database
from pynomaly.server.log import configure
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import Role
from pynomaly.server.users.service import create_user
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

PASSWORD = "correct horse battery"
MakeUser = Callable[..., User]
LogIn = Callable[..., httpx.Client]


class ThreadedServer(uvicorn.Server):
    """A uvicorn server in a thread, on a port that the system chooses."""

    def __init__(self, app: FastAPI) -> None:
        """Prepare to serve `app` as `pynomaly serve` does, without its log lines."""
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            ws="websockets-sansio",
            ws_max_size=65_536,
        )
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: object = None) -> None:
        """Tell when the port is open."""
        await super().startup()
        self.ready.set()

    @property
    def url(self) -> str:
        """Where it answers."""
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session", autouse=True)
def _log_lines() -> None:
    """Log as the server does."""
    configure(Settings(log_level="error"))


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    """The whole application."""
    return create_app(settings, database)


@pytest.fixture
def url(app: FastAPI) -> Iterator[str]:
    """Address of a real server that runs `app`."""
    server = ThreadedServer(app)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.ready.wait(20)
    yield server.url
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """A client that is not logged in."""
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def make_user(database: Database) -> MakeUser:
    """Make an account with the password PASSWORD."""

    def make(email: str = "ada@example.org", role: Role = "user") -> User:
        with database.session() as session:
            return create_user(session, email, PASSWORD, role=role)

    return make


@pytest.fixture
def log_in(url: str, make_user: MakeUser) -> Iterator[LogIn]:
    """Make an account and an API client that is logged in to it."""
    clients = []

    def log_in(email: str = "ada@example.org", role: Role = "user") -> httpx.Client:
        make_user(email, role)
        answer = httpx.post(
            f"{url}/api/v1/auth/login", json={"email": email, "password": PASSWORD}, timeout=30
        )
        token = answer.raise_for_status().json()["access_token"]
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
