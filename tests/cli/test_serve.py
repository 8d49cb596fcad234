"""`pynomaly serve` starts from nothing, says where it is, and stops cleanly with its worker."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import httpx
import psutil
import pytest

from pynomaly.cli.main import main

CODE = "from pynomaly.cli.main import run; run()"
START_SECONDS = 60
Start = Callable[..., "Served"]


class Served:
    """A running `pynomaly serve`."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        """Start it on a free port and wait until it is ready."""
        given = {**os.environ, "PYNOMALY_HOME": str(home), **environment}
        command = [sys.executable, "-c", CODE, "serve", "--port", "0", *arguments]
        with (home.parent / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=log, text=True)
        self.lines: list[str] = []

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        self.lines.append(self.process.stdout.readline())
        return self.lines[-1]

    def url(self) -> str:
        """Wait until it is ready; gives its address."""
        found = re.fullmatch(r"Pynomaly is ready at (http://127\.0\.0\.1:\d+)\n", self.line())
        assert found is not None, self.lines
        return found.group(1)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(40)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Start]:
    """Start servers; all are gone afterwards."""
    started = []

    def start(*arguments: str, **environment: str) -> Served:
        started.append(Served(tmp_path / "home", *arguments, **environment))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()
        assert served.process.stdout is not None
        served.process.stdout.close()


def test_from_nothing_to_the_first_administrator_and_the_end(serve: Start, tmp_path: Path) -> None:
    served = serve("--worker-slots", "1")
    url = served.url()
    link = re.search(r"http://\S+/setup\?token=\S+", served.line())
    assert link is not None
    with httpx.Client(headers={"Origin": url}) as client:
        assert client.get(f"{url}/health").json()["status"] == "ok"
        assert "server" not in client.get(f"{url}/health").headers
        form = {
            "token": link.group().partition("=")[2],
            "email": "ada@example.org",
            "password": "correct horse battery",
        }
        assert client.post(f"{url}/setup", data=form).status_code == 303
        assert client.get(f"{url}/api/v1/auth/me").json()["role"] == "admin"
    children = _wait_for_children(served.process.pid)
    assert served.stop() == 0
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert ((tmp_path / "home").stat().st_mode & 0o777) == 0o700
    text = (tmp_path / "log").read_text()
    assert "Traceback" not in text
    assert form["token"] not in text
    again = serve("--worker-slots", "0")
    assert again.url()
    assert again.stop(signal.SIGINT) == 0
    assert "setup" not in "".join(again.lines)


def _wait_for_children(pid: int) -> list[psutil.Process]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        children = psutil.Process(pid).children(recursive=True)
        if children:
            return children
    raise AssertionError("no worker was started")


def test_the_administrator_of_the_settings_can_log_in(serve: Start, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse battery\n")
    served = serve(
        "--worker-slots", "0", PYNOMALY_ADMIN_EMAIL="root@example.org", PYNOMALY_ADMIN_PASSWORD_FILE=str(file)
    )
    url = served.url()
    body = {"email": "root@example.org", "password": "correct horse battery"}
    assert httpx.post(f"{url}/api/v1/auth/login", json=body).status_code == 200
    assert served.stop() == 0


def test_answers_on_a_kept_connection_are_not_held_back(serve: Start) -> None:
    served = serve("--worker-slots", "0")
    with httpx.Client(base_url=served.url()) as client:
        times = []
        for _ in range(30):
            start = time.perf_counter()
            client.get("/health/live")
            times.append(time.perf_counter() - start)
    assert median(times) < 0.03  # 0.04 and more when the system waits for acknowledgements
    assert served.stop() == 0


def test_forwarded_addresses_count_only_from_a_trusted_proxy(serve: Start) -> None:
    body = {"email": "ada@example.org", "password": "wrong"}
    for trusted, last in (("", 429), ("127.0.0.1", 401)):
        served = serve("--worker-slots", "0", PYNOMALY_TRUSTED_PROXIES=trusted)
        login = f"{served.url()}/api/v1/auth/login"
        for number in range(11):
            answer = httpx.post(login, json=body, headers={"X-Forwarded-For": f"10.1.1.{number}"})
        assert answer.status_code == last
        assert served.stop() == 0


def test_a_request_in_flight_is_finished_at_sigterm(serve: Start) -> None:
    served = serve("--worker-slots", "0")
    url = httpx.URL(served.url())
    body = b'{"email": "a@b.c", "password": "x"}'
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection((url.host, url.port or 0), timeout=30) as connection:
        connection.sendall(head + body[:5])
        httpx.get(url.join("/health/live"))  # by now the first part has been read
        served.process.send_signal(signal.SIGTERM)
        _wait_until_closed(url)
        connection.sendall(body[5:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")
    assert served.process.wait(40) == 0


def _wait_until_closed(url: httpx.URL) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection((url.host, url.port or 0), timeout=30).close()
        except OSError:
            return
    raise AssertionError("the port stayed open")


@pytest.fixture
def _same_signals() -> Iterator[None]:
    """Put back what the command changes of this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_same_signals")
def test_what_keeps_it_from_starting_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYNOMALY_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        tries = [
            (["--port", str(port)], {}, f"Cannot listen on 127.0.0.1:{port}: Address already in use."),
            (["--port", "70000"], {}, "PYNOMALY_PORT cannot be used"),
            (["--host", "192.0.2.1", "--port", "0"], {}, "Cannot listen on 192.0.2.1:0"),
            (["--host", "::2", "--port", "0"], {}, "Cannot listen on ::2:0"),
            (["--port", "0"], {"PYNOMALY_SECRET_KEY": "changeme"}, "too weak"),
            (["--port", "0"], {"PYNOMALY_DATABASE_URL": "mysql://x"}, "PYNOMALY_DATABASE_URL"),
            (["--port", "0"], {"PYNOMALY_ADMIN_EMAIL": "a@b.c"}, "PYNOMALY_ADMIN_PASSWORD_FILE"),
        ]
        for arguments, environment, message in tries:
            with monkeypatch.context() as context:
                for name, value in environment.items():
                    context.setenv(name, value)
                assert main(["serve", *arguments]) == 2
            (error,) = capsys.readouterr().err.splitlines()
            assert message in error
    assert main(["serve", "--help"]) == 0
    assert "--worker-slots" in capsys.readouterr().out
