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

import httpx

from pynomaly.server.db import Database
from pynomaly.server.migrate import upgrade
from pynomaly.server.users import keys
from pynomaly.server.users.permissions import ROLES, SCOPES
from pynomaly.server.users.service import create_user
from pynomaly.settings import Settings

PASSWORD = "correct horse battery"
START_SECONDS = 60


@dataclass(frozen=True)
class Target:
    """Where the server is, and what each role sends to get in."""

    url: str
    headers: dict[str, dict[str, str]]
    log: Path
    process: int


def accounts(home: Path) -> dict[str, dict[str, str]]:
    """Make an account of each role with a key that has all scopes it may have."""
    settings = Settings(home=home)
    upgrade(settings)
    database = Database(settings)
    found: dict[str, dict[str, str]] = {"anonymous": {}}
    with database.session() as session:
        for role in ROLES:
            user = create_user(session, f"{role}@example.org", PASSWORD, role=role)
            scopes = [one for one in SCOPES if one in user.permissions]
            found[role] = {"X-API-Key": keys.create(session, user, "fuzz", scopes)[1]}
    database.close()
    return found


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Target]:
    """Run `pynomaly serve`, without a worker unless the settings say otherwise, until the block ends."""
    headers = accounts(home)
    log = home / "server.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYNOMALY_")}
    environment |= {
        "PYNOMALY_HOME": str(home),
        "PYNOMALY_WORKER_SLOTS": "0",
        "PYNOMALY_RATE_LIMIT_PER_MINUTE": "0",
        "PYNOMALY_RATE_LIMIT_ANONYMOUS_PER_MINUTE": "0",
        "PYNOMALY_SECRET_KEY": secrets.token_urlsafe(48),
    } | {f"PYNOMALY_{name.upper()}": value for name, value in settings.items()}
    command = [str(Path(sys.executable).with_name("pynomaly")), "serve", "--port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        url = wait_until_ready(process, log)
        credentials = {"email": "user@example.org", "password": PASSWORD}
        answer = httpx.post(f"{url}/api/v1/auth/login", json=credentials, timeout=30)
        headers["login"] = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
        yield Target(url, headers, log, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def furnish(url: str, headers: dict[str, str]) -> None:
    """Make one thing of each kind, so that lists are not empty and links lead somewhere."""
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=30) as client:
        file = {"file": ("p.csv", b"amount\n" + b"\n".join(b"%d" % row for row in range(40)))}
        dataset = client.post("/datasets/upload", files=file).raise_for_status().json()["id"]
        for name in ("One", "Two"):
            body = {"name": name, "algorithm": "robust_z"}
            client.post("/detectors", json=body).raise_for_status()
        share = {"everyone": True, "access": "use"}
        client.put(f"/datasets/{dataset}/shares", json=share).raise_for_status()


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Find the address that the server printed."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text("utf-8", "replace").splitlines():
            if line.startswith("Pynomaly is ready at "):
                return line.rpartition(" ")[2]
        time.sleep(0.05)
    raise RuntimeError(f"the server did not get ready:\n{log.read_text('utf-8', 'replace')[-4000:]}")
