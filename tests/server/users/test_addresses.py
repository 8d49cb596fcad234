"""Limits go by the address of the connection, or of the proxies that the settings name, never by a header."""

import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from pynomaly.cli.serve import Server
from pynomaly.server.db import Database
from pynomaly.server.users.models import Login, LoginAttempt, User
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

MakeUser = Callable[..., User]
LOGIN = "/api/v1/auth/login"
WRONG = {"email": "ada@example.org", "password": "wrong"}
pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def served(settings: Settings) -> Iterator[Callable[..., httpx.Client]]:
    """Serve as `pynomaly serve` does; more than once: a restart."""
    stops: list[Callable[[], None]] = []

    def serve(proxies: str = "") -> httpx.Client:
        chosen = settings.model_copy(update={"trusted_proxies": proxies})
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        ready = threading.Event()
        app: FastAPI = create_app(chosen)
        server = Server(app, chosen, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert ready.wait(20)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

        def stop() -> None:
            client.close()
            server.should_exit = True
            thread.join(20)
            listener.close()

        stops.append(stop)
        return client

    def stop_all() -> None:
        while stops:
            stops.pop()()

    serve.stop = stop_all  # type: ignore[attr-defined]
    yield serve
    stop_all()


def attempts(client: httpx.Client, count: int, forwarded: Callable[[int], str]) -> list[int]:
    """Guess, with another header each time."""
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP")
    return [
        client.post(LOGIN, json=WRONG, headers=dict.fromkeys(names, forwarded(number))).status_code
        for number in range(count)
    ]


def test_a_forged_header_is_ignored_and_a_restart_forgets_nothing(
    served: Callable[..., httpx.Client], make_user: MakeUser, database: Database
) -> None:
    make_user()
    assert attempts(served(), 11, lambda number: f"10.0.0.{number}") == [401] * 10 + [429]
    served.stop()  # type: ignore[attr-defined]
    assert attempts(served(), 1, lambda _: "10.1.1.1") == [429]
    with database.session(write=False) as session:
        assert set(session.scalars(select(LoginAttempt.address))) == {"127.0.0.1"}


def test_a_proxy_that_the_settings_name_is_believed_about_its_client_only(
    served: Callable[..., httpx.Client], make_user: MakeUser, database: Database
) -> None:
    make_user()
    client = served("127.0.0.1")
    assert attempts(client, 11, lambda number: f"10.0.0.{number}, 192.0.2.7") == [401] * 10 + [429]
    assert attempts(client, 1, lambda _: "192.0.2.8") == [401]
    good = {"email": "ada@example.org", "password": "correct horse battery"}
    assert client.post(LOGIN, json=good, headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 200
    with database.session(write=False) as session:
        assert session.scalars(select(Login.address)).all() == ["192.0.2.9"]


def test_a_proxy_elsewhere_does_not_make_this_one_believed(
    served: Callable[..., httpx.Client], make_user: MakeUser
) -> None:
    make_user()
    assert attempts(served("192.0.2.1"), 11, lambda number: f"10.0.0.{number}") == [401] * 10 + [429]
