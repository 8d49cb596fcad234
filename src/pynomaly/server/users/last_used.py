"""When log-ins and API keys were last used: noted in memory, written once a minute, so that no GET writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from anyio.to_thread import run_sync
from sqlalchemy import or_, update
from sqlalchemy.exc import SQLAlchemyError

from pynomaly.server.db import Database, utc_now
from pynomaly.server.users.models import ApiKey, Login

EVERY_SECONDS = 60.0
log = structlog.get_logger(__name__)


class LastUsed:
    """What was used since it was last written; one per process."""

    def __init__(self, database: Database) -> None:
        """Write to `database`."""
        self._database = database
        self._seen: dict[tuple[type[Login] | type[ApiKey], str], datetime] = {}

    def note(self, kind: type[Login] | type[ApiKey], id_: str) -> None:
        """Remember a use: a few hundred nanoseconds."""
        self._seen[kind, id_] = utc_now()

    def write(self) -> None:
        """Write what was noted, in one transaction; a later moment that another process wrote stays."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        in_order = sorted(seen.items(), key=lambda one: (one[0][0].__name__, one[0][1]))
        with self._database.session() as session:
            for (
                kind,
                id_,
            ), at in in_order:  # one order everywhere: no two processes wait for each other
                older = or_(kind.last_used_at.is_(None), kind.last_used_at < at)
                session.execute(
                    update(kind).where(kind.id == id_, older).values(last_used_at=at),
                    execution_options={"synchronize_session": False},
                )

    @asynccontextmanager
    async def being_written(self) -> AsyncIterator[None]:
        """Write once a minute while the server runs, and once more at its end."""
        writing = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await run_sync(self._try_to_write)

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await run_sync(self._try_to_write)

    def _try_to_write(self) -> None:
        try:
            self.write()
        except SQLAlchemyError as error:  # these uses are lost; the writing goes on
            log.warning("last_used_not_written", error=type(error).__name__)
