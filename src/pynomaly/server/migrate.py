"""The version of the database's schema: tell it, check it, bring it up to date.

Alembic is imported only when there is something to do: a server that starts saves its time and memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from pynomaly.errors import ConfigurationError
from pynomaly.server.db import make_engine
from pynomaly.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent.parent / "migrations"
LOCK = 0x50_59_4E_4F  # "PYNO": PostgreSQL's advisory lock while the schema is changed


def revisions() -> list[str]:
    """All versions of the schema that this program knows, oldest first."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def upgrade(settings: Settings) -> None:
    """Bring the database's schema up to date, once, however many processes start at the same time.

    Raises ConfigurationError when the database was made by a newer version of Pynomaly, or cannot be used.
    """
    with _engine(settings) as engine, engine.begin() as connection:  # on SQLite this takes the write lock
        if _is_current(_version(connection)):
            return
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        _check_known(_version(connection))
        _run(connection)


def current(settings: Settings) -> str | None:
    """The version of the database's schema; None before the first one."""
    with _engine(settings) as engine, engine.connect() as connection:
        return _version(connection)


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    """The database for a moment; what it says when it cannot be opened becomes one clear line."""
    engine = make_engine(settings)
    try:
        yield engine
    except DatabaseError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise ConfigurationError(f"The database {where} cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


def is_current(settings: Settings) -> bool:
    """Whether the schema is the one that this program needs."""
    return _is_current(current(settings))


def _is_current(version: str | None) -> bool:
    return version == revisions()[-1]


def _check_known(version: str | None) -> None:
    if version is not None and version not in revisions():
        raise ConfigurationError(
            f"The database has schema {version}, made by a newer Pynomaly; this one knows up to "
            f"{revisions()[-1]}: install the newer version, or use another database."
        )


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _run(connection: Connection) -> None:
    from alembic import command

    command.upgrade(configuration(connection), "head")


def configuration(connection: Connection) -> "Config":
    """Alembic's configuration for work on `connection`, in its transaction."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
