"""`pynomaly serve`: the web interface and the REST API in this process, a worker beside it."""

import os
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Annotated, NoReturn

import typer
import uvicorn
from fastapi import FastAPI

from pynomaly.errors import ConfigurationError
from pynomaly.server import log, production
from pynomaly.server.db import Database
from pynomaly.server.jobs.supervisor import Supervisor
from pynomaly.server.live.api import MOST_BYTES
from pynomaly.server.memory import return_large_blocks
from pynomaly.server.migrate import upgrade
from pynomaly.server.users import first
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings, load

SHUTDOWN_SECONDS = 10
"""How long requests that are being answered may take after SIGTERM."""
IDLE_SECONDS = 75
"""Longer than clients keep an idle connection (httpx 5, nginx 60): none is closed just as a request comes."""
Host = Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0: any free one. [default: 8000]")]
Slots = Annotated[
    int | None,
    typer.Option("--worker-slots", "--workers-slots", help="Jobs to run at once; 0: run no worker."),
]


def command(host: Host = None, port: Port = None, worker_slots: Slots = None) -> None:
    """Serve the web interface and the REST API, with a worker, until told to stop."""
    settings = load(host=host, port=port, worker_slots=worker_slots)
    log.configure(settings)
    production.check(settings)
    return_large_blocks()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with _listen(settings) as listener:
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        upgrade(settings)
        database = Database(settings)
        try:
            _serve(settings, database, listener)
        finally:
            database.close()


class Server(uvicorn.Server):
    """A uvicorn server that says when it is ready."""

    def __init__(self, app: FastAPI, settings: Settings, on_ready: Callable[[], None]) -> None:
        """Serve `app`; `on_ready` is called once requests are answered."""
        config = uvicorn.Config(
            app,
            log_config=None,  # `log.configure` has done it
            access_log=False,  # the edge writes its own lines
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            timeout_keep_alive=IDLE_SECONDS,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=MOST_BYTES,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._on_ready()


def _serve(settings: Settings, database: Database, listener: socket.socket) -> None:
    with database.session() as session:
        set_up = first.ensure(session, settings)
    supervisor = Supervisor(settings)

    def ready() -> None:
        typer.echo(f"Pynomaly is ready at {settings.public_url}")
        if set_up is not None:
            typer.echo(f"Make the first account (this link works once): {settings.public_url}{set_up}")
        if settings.worker_slots:
            supervisor.start()

    try:
        Server(create_app(settings, database), settings, ready).run([listener])
    finally:
        supervisor.stop()


def _listen(settings: Settings) -> socket.socket:
    """Take the port at once, so that a port in use is told before anything else is done."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
        # Connections inherit it. Asyncio sets it only on sockets that it made itself, and without it every
        # answer waits 40 ms for the client's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        known = error.errno is not None and error.errno > 0  # else the name was not found
        reason = os.strerror(error.errno or 0) if known else error.strerror
        raise ConfigurationError(f"Cannot listen on {settings.host}:{settings.port}: {reason}.") from error


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """Being told to stop is no failure; uvicorn raises the signal again when it has finished."""
    raise SystemExit(0)
