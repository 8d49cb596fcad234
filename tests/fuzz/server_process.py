"""A real server process with an account and a key of each role, to throw anything at."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pynomaly.server.db import Database
from pynomaly.server.migrate import upgrade
from pynomaly.server.users import keys
from pynomaly.server.users.permissions import ROLES, SCOPES
from pynomaly.server.users.service import create_user
from pynomaly.settings import Settings

LONG = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""Cases of each operation and phase; 0: the few of `make test`."""
PASSWORD = "correct horse battery"
START_SECONDS = 60
LOGIN = "login@example.org"
SECRET = secrets.token_urlsafe(48)


@dataclass(frozen=True)
class Target:
    """Where the server is, and what each role sends to get in."""

    url: str
    headers: dict[str, dict[str, str]]
    log: Path
    process: int
    kept: tuple[str, ...]
    """Ids of the accounts and of the log-in that these headers need."""


def accounts(home: Path) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Make an account of each role with a key of all its scopes, and one to log in to; and give their ids."""
    settings = Settings(home=home)
    upgrade(settings)
    database = Database(settings)
    found: dict[str, dict[str, str]] = {"anonymous": {}}
    ids = []
    with database.session() as session:
        ids.append(create_user(session, LOGIN, PASSWORD, role="user").id)
        for role in ROLES:
            user = create_user(session, f"{role}@example.org", PASSWORD, role=role)
            scopes = [one for one in SCOPES if one in user.permissions]
            found[role] = {"X-API-Key": keys.create(session, user, "fuzz", scopes)[1]}
            ids.append(user.id)
    database.close()
    return found, ids


def environment_of(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a server or worker with these settings and no others."""
    left_out = ("PYNOMALY_", "COVERAGE_")
    others = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    ours = {"home": str(home), "secret_key": SECRET} | settings
    return others | {f"PYNOMALY_{name.upper()}": value for name, value in ours.items()}


@contextmanager
def working(home: Path) -> Iterator[None]:
    """Run `pynomaly worker` with one slot until the block ends."""
    command = [str(Path(sys.executable).with_name("pynomaly")), "worker", "--slots", "1"]
    with (home / "worker.log").open("ab") as file:
        process = subprocess.Popen(command, env=environment_of(home), stdout=file, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Target]:
    """Run `pynomaly serve`, without a worker unless the settings say otherwise, until the block ends."""
    headers, ids = accounts(home)
    log = home / "server.log"
    quiet = {"worker_slots": "0", "rate_limit_per_minute": "0", "rate_limit_anonymous_per_minute": "0"}
    environment = environment_of(home, **(quiet | settings))
    command = [str(Path(sys.executable).with_name("pynomaly")), "serve", "--port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        url = wait_until_ready(process, log)
        credentials = {"email": LOGIN, "password": PASSWORD}
        answer = httpx.post(f"{url}/api/v1/auth/login", json=credentials, timeout=30)
        bearer = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
        headers["login"] = bearer
        logins = httpx.get(f"{url}/api/v1/auth/sessions", headers=bearer, timeout=30).raise_for_status()
        ids += [item["id"] for item in logins.json()["items"]]
        yield Target(url, headers, log, process.pid, tuple(ids))
    finally:
        process.terminate()
        process.wait(30)


def furnish(url: str, headers: dict[str, str]) -> None:
    """Make things of each kind and have the worker do its part, so that lists and links lead somewhere."""
    wait = {"Prefer": "wait=30"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60) as client:

        def post(path: str, **content: Any) -> str:
            return str(client.post(path, headers=wait, **content).raise_for_status().json().get("id"))

        rows = b"\n".join(b"%d.5" % (row * row % 17) for row in range(40))
        dataset = post("/datasets/upload", files={"file": ("p.csv", b"amount\n" + rows)})
        share = {"everyone": True, "access": "use"}
        client.put(f"/datasets/{dataset}/shares", json=share).raise_for_status()
        for name in ("One", "Two"):
            detector = post("/detectors", json={"name": name, "algorithm": "robust_z"})
            post(f"/detectors/{detector}/train", json={"dataset_id": dataset})
            client.put(f"/detectors/{detector}/shares", json=share).raise_for_status()
        client.put(f"/detectors/{detector}/aliases/champion", json={"version": 1}).raise_for_status()
        result = post("/detection/detect", json={"dataset_id": dataset, "detector_id": detector})
        verdict = {"items": [{"row": 0, "verdict": "anomaly"}]}
        client.post(f"/detection/results/{result}/feedback", json=verdict).raise_for_status()


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Find the address that the server printed."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text("utf-8", "replace").splitlines():
            if line.startswith("Pynomaly is ready at "):
                return line.rpartition(" ")[2]
        time.sleep(0.05)
    raise RuntimeError(f"the server did not get ready:\n{log.read_text('utf-8', 'replace')[-4000:]}")
