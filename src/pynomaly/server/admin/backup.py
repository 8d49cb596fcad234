"""A copy of the database while it is in use, for SQLite."""

import sqlite3
from pathlib import Path

from pynomaly.errors import Conflict
from pynomaly.server.access import require
from pynomaly.server.audit import record
from pynomaly.server.db import Database
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User


def copy(database: Database, actor: User, storage: LocalStorage) -> Path:
    """Copy the database as it is at one moment into a temporary file, which whoever takes it deletes.

    Writers go on meanwhile: SQLite's online backup begins anew when one was quicker. It is logged.

    Raises:
        Conflict: it is PostgreSQL, which has tools of its own.
        Forbidden: the actor is no administrator.
    """
    require(actor, "users:write")
    if not database.is_sqlite:
        raise Conflict("Only SQLite can be copied here: use pg_dump for PostgreSQL.")
    target = storage.temp(".db")
    target.touch(mode=0o600)  # it holds password hashes
    source = database.engine.raw_connection()
    try:
        with sqlite3.connect(target) as copied:
            source.driver_connection.backup(copied)  # type: ignore[union-attr]
        copied.close()
        with database.session() as session:
            record(session, actor, "database.copy", size=target.stat().st_size)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        source.close()
    return target
