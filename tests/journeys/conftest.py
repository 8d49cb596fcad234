"""Fixtures of the journeys: `pynomaly serve` as a process with its worker, on each database, and users."""

import csv
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL, Engine

from pynomaly.server.db import Database
from pynomaly.server.users.permissions import Role
from pynomaly.server.users.service import create_user
from pynomaly.settings import Settings

PASSWORD = "correct horse battery staple"
START_SECONDS = 60


@dataclass(frozen=True)
class Installation:
    """A running server with its worker: its address, its settings and its API process."""

    url: str
    settings: Settings
    process: subprocess.Popen[bytes]

    def files(self) -> list[str]:
        """Every stored file, finished or not."""
        found = (*(self.settings.home / "blobs").rglob("*"), *(self.settings.home / "tmp").rglob("*"))
        return sorted(str(path.relative_to(self.settings.home)) for path in found if path.is_file())


@dataclass(frozen=True)
class Client:
    """Somebody at the REST API."""

    http: httpx.Client

    def send(self, method: str, path: str, status: int, **arguments: Any) -> Any:
        """Send a request, check the answer's status, and return its JSON."""
        answer = self.http.request(method, f"/api/v1{path}", **arguments)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        return answer.json()

    def get(self, path: str, status: int = 200, **parameters: Any) -> Any:
        """GET."""
        return self.send("GET", path, status, params=parameters)

    def post(self, path: str, status: int, body: Any = None, wait: int = 0) -> Any:
        """POST JSON; `wait` seconds for the job that it starts."""
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        return self.send("POST", path, status, json=body, headers=headers)

    def upload(
        self, content: bytes | Path, filename: str = "t.csv", status: int = 201, wait: int = 30, **form: str
    ) -> Any:
        """Upload a file and wait until it is read."""
        content = content.read_bytes() if isinstance(content, Path) else content
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        files = {"file": (filename, content)}
        return self.send("POST", "/datasets/upload", status, files=files, data=form, headers=headers)

    def ended(self, path: str, busy: tuple[str, ...] = ("queued", "running"), seconds: float = 60) -> Any:
        """Poll until a resource's status is none of `busy`."""
        deadline = time.monotonic() + seconds
        while (found := self.get(path))["status"] in busy:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def every(self, path: str, **parameters: Any) -> list[Any]:
        """Page through a list to its end."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, **parameters, **cursor)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, unmeasured: dict[str, str]
) -> Iterator[Installation]:
    """A fresh installation that serves, on either database."""
    home = tmp_path_factory.mktemp("home")
    given = {"home": home, "access_token_minutes": 240, "log_level": "warning", "max_table_mib": 48}
    made = None
    if request.param == "postgres":
        made = request.getfixturevalue("make_postgres")("template0")
        given["database_url"] = made.render_as_string(hide_password=False)
    environment = unmeasured | {f"PYNOMALY_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-c", "from pynomaly.cli.main import run; run()", "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert "ready at http://" in line, line
        yield Installation(line.split("ready at ")[1].strip(), Settings(**given), process)
    finally:
        process.terminate()
        process.communicate(timeout=60)
        if made is not None:
            _drop(request.getfixturevalue("postgres"), made)


def _drop(postgres: Engine, database: URL) -> None:
    with postgres.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {database.database} WITH (FORCE)")


@pytest.fixture(scope="session")
def arrive(installation: Installation) -> Iterator[Callable[[str, Role], Client]]:
    """Make an account and log in to it."""
    database = Database(installation.settings)
    clients = []

    def make(email: str, role: Role) -> Client:
        with database.session() as session:
            create_user(session, email, PASSWORD, role=role)
        client = httpx.Client(base_url=installation.url, timeout=90)
        clients.append(client)
        answer = client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        return Client(client)

    yield make
    for client in clients:
        client.close()
    database.close()


@pytest.fixture(scope="session")
def ada(arrive: Callable[[str, Role], Client]) -> Client:
    """An ordinary user."""
    return arrive("ada@example.org", "user")


@pytest.fixture(scope="session")
def stranger(arrive: Callable[[str, Role], Client]) -> Client:
    """Another ordinary user."""
    return arrive("eve@example.org", "user")


@pytest.fixture(scope="session")
def admin(arrive: Callable[[str, Role], Client]) -> Client:
    """An administrator."""
    return arrive("root@example.org", "admin")


@pytest.fixture(scope="session")
def viewer(arrive: Callable[[str, Role], Client]) -> Client:
    """Somebody who may only look."""
    return arrive("vera@example.org", "viewer")


@pytest.fixture(scope="session")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 400 payments with labels; rows 50, 150 and 250 are absurd."""
    source = random.Random(7)
    path = tmp_path_factory.mktemp("files") / "payments.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["amount", "age", "shop", "when", "is_fraud"])
        for row in range(400):
            odd = row in (50, 150, 250)
            amount = 90_000 + row if odd else round(source.gauss(50, 9), 2)
            age = 300 if odd else round(source.gauss(40, 6), 1)
            moment = f"2024-03-{1 + row % 28:02d} {source.randrange(24):02d}:15:00"
            writer.writerow([amount, age, source.choice(["books", "food", "=shoes"]), moment, int(odd)])
    return path


@pytest.fixture(scope="session")
def dataset(ada: Client, payments: Path) -> Any:
    """The payments, uploaded."""
    return ada.upload(payments, "payments.csv", label_column="is_fraud")


@pytest.fixture(scope="session")
def result(ada: Client, dataset: Any) -> Any:
    """A completed detection on the payments."""
    return ada.post("/detection/detect", 201, {"dataset_id": dataset["id"]}, wait=30)


@pytest.fixture(scope="session")
def large(ada: Client) -> Any:
    """A table on which the exact one-class SVM takes minutes."""
    source = random.Random(1)
    lines = ["a,b,c,d", *(",".join(f"{source.gauss(0, 1):.5f}" for _ in range(4)) for _ in range(60_000))]
    return ada.upload("\n".join(lines).encode(), "large.csv")
