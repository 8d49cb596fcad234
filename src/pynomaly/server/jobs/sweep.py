"""Clear away what dead processes left: files of attempts, unfinished uploads, blobs that no row names."""

from collections.abc import Callable, Collection, Iterable

import structlog
from sqlalchemy.orm import Session

from pynomaly.server.db import Database
from pynomaly.server.jobs import queue
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

log = structlog.get_logger(__name__)

UPLOAD_SECONDS = 24 * 3600
"""No upload takes longer."""

BLOB_SECONDS = 3600
"""No transaction between putting a blob and committing its row takes longer."""


Sweep = Callable[[Session, Settings], object]
"""Deletes rows that nothing needs any more, in a transaction of its own."""
KeysInUse = Callable[[Session], Collection[str]]
"""Gives the keys of all blobs that rows name."""


def sweep(database: Database, storage: LocalStorage, keys_in_use: KeysInUse | None) -> None:
    """Delete what nothing needs; blobs only when it is known which are in use."""
    sweep_attempts(database, storage)
    storage.sweep_temp(UPLOAD_SECONDS)
    if keys_in_use is not None:
        with database.session(write=False) as session:
            keys = keys_in_use(session)
        for key in storage.sweep(keys, BLOB_SECONDS):
            log.info("blob_swept", key=key)


def sweep_rows(database: Database, settings: Settings, sweeps: Iterable[Sweep]) -> None:
    """Delete the rows that features do not need any more."""
    for one in sweeps:
        with database.session() as session:
            one(session, settings)


def sweep_attempts(database: Database, storage: LocalStorage) -> None:
    """Delete the temporary files of attempts that do not run any more."""
    left = storage.attempt_names()  # before the look at the queue: whatever starts later is not in it
    if not left:
        return
    with database.session(write=False) as session:
        runs = {f"{state.lease.job_id}.{state.lease.attempt}" for state in queue.running(session)}
    for name in left - runs:
        storage.for_attempt(name).clear_scratch()
        log.info("attempt_swept", attempt=name)
