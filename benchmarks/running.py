"""A real server with a real worker in a fresh home, and an HTTP client that is logged in."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

EMAIL, PASSWORD = "bench@example.org", "bench-correct-horse-battery"
COMMAND = str(Path(os.environ.get("PYNOMALY_COMMAND", ".venv/bin/pynomaly")).absolute())


@dataclass
class Running:
    """A server under measurement."""

    process: subprocess.Popen[bytes]
    url: str
    client: httpx.Client
    ready_seconds: float
    home: str

    def post(self, path: str, **arguments: Any) -> Any:
        """POST under /api/v1, wait for long work, and return the JSON answer."""
        answer = self.client.post(f"/api/v1{path}", headers={"Prefer": "wait=30"}, **arguments)
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str, **parameters: Any) -> Any:
        """GET under /api/v1 and return the JSON answer."""
        answer = self.client.get(f"/api/v1{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    def finished(self, path: str, busy: tuple[str, ...], seconds: float = 120) -> Any:
        """Poll a resource until its status is no longer one of `busy`."""
        deadline = time.monotonic() + seconds
        while (found := self.get(path))["status"] in busy:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is still {found['status']}")
            time.sleep(0.01)
        return found


def free_port() -> int:
    """Ask the kernel for a free port on the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(**settings: str) -> Iterator[Running]:
    """Start `pynomaly serve`, log in, and stop it at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pynomaly-bench-") as home:
        password = Path(home, "password")
        password.write_text(PASSWORD)
        environment = os.environ | {
            "PYNOMALY_HOME": home,
            "PYNOMALY_ADMIN_EMAIL": EMAIL,
            "PYNOMALY_ADMIN_PASSWORD_FILE": str(password),
            "PYNOMALY_LOG_LEVEL": "warning",
            **settings,
        }
        start = time.perf_counter()
        command = [COMMAND, "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)
            _wait_ready(client, process)
            ready = time.perf_counter() - start
            answer = client.post(
                "/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}
            ).raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield Running(process, str(client.base_url), client, ready, home)
        finally:
            process.terminate()
            process.wait(30)


def _wait_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            if client.get("/api/v1/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.01)
    raise TimeoutError("the server is not ready after 30 s")
