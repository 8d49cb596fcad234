"""Has anything in the database changed? Asked often, so it must cost next to nothing."""

import time
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from pynomaly.server.db import Database

POSTGRES_SECONDS = 0.1
"""How often PostgreSQL is asked for work; SQLite tells of every commit through a counter in shared memory."""


class Changes:
    """One watcher's view; used by one thread."""

    def __init__(self, database: Database) -> None:
        """Watch `database`; the first look counts as a change."""
        self._database = database
        self._sqlite: PoolProxiedConnection | None = None
        self._seen: Any = None

    def changed(self) -> bool:
        """Whether anything may have been committed since the last call."""
        now = self._data_version() if self._database.is_sqlite else time.monotonic() // POSTGRES_SECONDS
        before, self._seen = self._seen, now
        return bool(before != now)

    def _data_version(self) -> Any:
        self._sqlite = self._sqlite or self._database.engine.raw_connection()
        cursor = self._sqlite.cursor()
        try:
            return cursor.execute("PRAGMA data_version").fetchone()
        finally:
            cursor.close()

    def forget(self) -> None:
        """Have the next call say that something changed."""
        self._seen = None

    def close(self) -> None:
        """Give the connection back."""
        if self._sqlite is not None:
            self._sqlite.close()
