"""The database: declarative base, column types, engine and transactions, on SQLite and PostgreSQL alike."""

import importlib
import json
import pkgutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, String, create_engine, event, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from pynomaly.errors import ConfigurationError, MissingExtra
from pynomaly.settings import Settings

SQLITE_BUSY_SECONDS = 20
"""How long a SQLite writer waits for another one; each transaction lasts milliseconds."""

Json = JSON(none_as_null=True)
"""JSON column type; not JSONB, which would lose key order and refuse escaped NUL characters."""


class UTCDateTime(TypeDecorator[datetime]):
    """A moment, always timezone-aware and in UTC; naive datetimes are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to UTC before storing."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """SQLite gives naive values back: they are UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all models; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
        datetime: UTCDateTime(),
        dict[str, Any]: Json,
        list[Any]: Json,
        list[str]: Json,
        list[dict[str, Any]]: Json,
    }


Id = String(36)
"""Column type of every identifier."""


def new_id() -> str:
    """Make a random identifier (UUID version 4)."""
    return str(uuid.uuid4())


def utc_now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


def load_models() -> None:
    """Import the models of every feature: `Base.metadata` is complete only after this."""
    import pynomaly.server as server

    for package in pkgutil.iter_modules(server.__path__):
        if package.ispkg:
            name = f"{server.__name__}.{package.name}.models"
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name != name:
                    raise


def database_url(settings: Settings) -> URL:
    """Parse the URL of the settings and choose the driver: sqlite3 or psycopg 3."""
    try:
        url = make_url(settings.url)
    except Exception as error:
        raise ConfigurationError("PYNOMALY_DATABASE_URL is not a database address.") from error
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite+pysqlite")
    raise ConfigurationError(
        f"PYNOMALY_DATABASE_URL starts with {url.drivername!r}; use sqlite:///FILE or postgresql://HOST/DATABASE."
    )


def make_engine(settings: Settings) -> Engine:
    """Open the connection pool; no connection is made yet.

    Raises ConfigurationError for an address that cannot be used, MissingExtra when psycopg is not installed.
    """
    url = database_url(settings)
    serializer = partial(json.dumps, allow_nan=False)  # NaN is not JSON, and PostgreSQL refuses it
    if url.get_backend_name() == "sqlite":
        _make_home(settings)
        arguments = {"timeout": SQLITE_BUSY_SECONDS, "check_same_thread": False}
        engine = create_engine(
            url,
            connect_args=arguments,
            json_serializer=serializer,
            hide_parameters=True,
            pool_size=20,
            max_overflow=30,
        )
        event.listen(engine, "do_connect", _keep_private)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url,
            json_serializer=serializer,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_recycle=1800,
            pool_size=10,
            max_overflow=20,
        )
    except ModuleNotFoundError as error:
        raise MissingExtra("PostgreSQL needs psycopg: pip install 'pynomaly-platform[postgres]'") from error


def _keep_private(
    _dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[str], _options: dict[str, Any]
) -> None:
    """Make the file for its owner alone, since it holds password hashes; SQLite's other files follow it."""
    with suppress(OSError):  # SQLite says itself what is wrong with the path
        Path(arguments[0]).touch(mode=0o600)


def _make_home(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(
            f"PYNOMALY_HOME, {settings.home}, cannot be used: {error.strerror}."
        ) from error


def _set_up_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Make commits durable and readers free of writers; the driver must not begin transactions by itself."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the start: upgrading a read lock later fails at once when another writes."""
    reading = connection.get_execution_options().get("postgresql_readonly", False)
    connection.exec_driver_sql(f"PRAGMA query_only={int(reading)}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


class _Writing(Session):
    """A session that may change something.

    The listener below is the class's: one on each sessionmaker would keep its Database for ever.
    """


@event.listens_for(_Writing, "after_commit")
def _count(session: Session) -> None:
    session.info["database"].commits += 1


class Database:
    """The engine and its transactions; one per process, safe to use from many threads."""

    def __init__(self, settings: Settings) -> None:
        """Open the pool of `settings.url`; connects at first use."""
        self.engine = make_engine(settings)
        reader = self.engine.execution_options(postgresql_readonly=True)
        info = {"job_max_attempts": settings.job_max_attempts}
        writing = {**info, "database": self}
        self._writing = sessionmaker(self.engine, class_=_Writing, expire_on_commit=False, info=writing)
        self._reading = sessionmaker(reader, expire_on_commit=False, info=info)
        self.commits = 0
        """Goes up with each commit of this process that may have changed something."""

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite (else PostgreSQL)."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def session(self, *, write: bool = True) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on an error.

        With `write=False` the database refuses changes, and on SQLite no write lock is taken.
        It begins with the first statement, so work done before that holds no lock.
        """
        with self.open_session(write=write) as session, session.begin():
            yield session

    def open_session(self, *, write: bool = True) -> Session:
        """A session for who commits and closes it; see `session` for the rest."""
        return (self._writing if write else self._reading)()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
