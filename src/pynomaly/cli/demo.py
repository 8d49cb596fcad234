"""`pynomaly demo`: detect anomalies in a sample table, then serve the web interface with that data loaded."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Annotated

import typer

from pynomaly import samples
from pynomaly.errors import PynomalyError
from pynomaly.settings import Settings, load

EMAIL = "demo@example.org"
LABEL, NOT_USED = "is_fraud", "fraud_kind"
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; another one if it is taken.")]
Home = Annotated[
    Path | None, typer.Option(help="Folder to keep the demo's data in. [default: a temporary one]")
]


def command(port: Port = 8000, home: Home = None) -> None:
    """Detect anomalies in a sample table, then serve the web interface with that data loaded."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _show(port, home)
    except KeyboardInterrupt:  # Ctrl-C or SIGTERM: as a demo should end
        typer.echo("")


def _show(port: int, home: Path | None) -> None:
    with _folder(home) as folder:
        table = folder / "payments.csv"
        samples.write_csv("payments", table)
        _detect(table)
        settings = load(
            home=folder / secrets.token_hex(4), port=_free(port), log_level="warning", database_url=""
        )
        settings.home.mkdir()
        password = secrets.token_urlsafe(12)
        with _server(settings, password) as server:
            address = _load(settings, table)
            typer.echo(f"\n  Open      {settings.public_url}{address}")
            typer.echo(f"  E-mail    {EMAIL}\n  Password  {password}\n")
            typer.echo(
                f"The data lasts as long as the demo{f', in {folder}' if home else ''}. Ctrl-C ends it."
            )
            sys.stdout.flush()
            if code := server.wait():
                raise PynomalyError(f"The server ended by itself (exit code {code}).")


@contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    """Give the folder that was named, or a temporary one."""
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="pynomaly-demo-") as name:
        yield Path(name)


def _detect(table: Path) -> None:
    """Show what one would type, and run it."""
    words = ["detect", str(table), "--label-column", LABEL, "--exclude", NOT_USED, "--top", "5"]
    typer.echo(f"$ pynomaly {' '.join(words)}\n")
    sys.stdout.flush()
    subprocess.run([*_pynomaly(), *words], check=True)  # noqa: S603 our own program, our own words


def _pynomaly() -> Sequence[str]:
    return [sys.executable, "-c", "from pynomaly.cli.main import run; run()"]


def _free(port: int) -> int:
    """Give this port, or a free one when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _server(settings: Settings, password: str) -> "Iterator[subprocess.Popen[str]]":
    """Run `pynomaly serve` with one administrator, from when it answers until the body ends."""
    secret = settings.home / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    given = {
        "HOME": str(settings.home),
        "HOST": settings.host,
        "PORT": str(settings.port),
        "DATABASE_URL": "",
        "LOG_LEVEL": settings.log_level,
        "ADMIN_EMAIL": EMAIL,
        "ADMIN_PASSWORD_FILE": str(secret),
    }
    environment = os.environ | {f"PYNOMALY_{name}": value for name, value in given.items()}
    typer.echo("\n$ pynomaly serve")
    sys.stdout.flush()
    with subprocess.Popen(  # noqa: S603 our own program
        [*_pynomaly(), "serve"], env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            if not (server.stdout and server.stdout.readline()):
                raise PynomalyError(f"The server did not start (exit code {server.wait()}).")
            secret.unlink()
            yield server
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _load(settings: Settings, table: Path) -> str:
    """Upload the table and detect its anomalies, as a user would; give the path of the result's page."""
    from sqlalchemy import select

    from pynomaly.server.datasets import service as datasets
    from pynomaly.server.db import Database
    from pynomaly.server.detections import service as detections
    from pynomaly.server.jobs.waiting import wait_finished
    from pynomaly.server.storage import LocalStorage
    from pynomaly.server.users.models import User

    database, storage = Database(settings), LocalStorage(settings.home)
    try:
        upload = storage.temp(".csv")
        copyfile(table, upload)
        with database.session() as session:
            owner = session.scalars(select(User)).one()
            dataset = datasets.create(session, owner, storage, upload, table.name, "Card payments", LABEL)
            dataset_id, job = dataset.id, str(dataset.job_id)
        asyncio.run(wait_finished(database, job, 60))
        with database.session() as session:
            owner = session.scalars(select(User)).one()
            columns = [column["name"] for column in datasets.get(session, owner, dataset_id).columns]
            used = [name for name in columns if name not in (LABEL, NOT_USED)]
            detection = detections.start(session, owner, dataset_id, columns=used)
            detection_id, job = detection.id, str(detection.job_id)
        asyncio.run(wait_finished(database, job, 60))
    finally:
        database.close()
    return f"/detections/{detection_id}"
