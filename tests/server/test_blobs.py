"""Stored files and transactions."""

import contextlib

from sqlalchemy import text

from pynomaly.server.blobs import delete_after_commit
from pynomaly.server.db import Database
from pynomaly.server.durable import sync
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings


def test_a_blob_goes_with_the_commit_only(settings: Settings, database: Database) -> None:
    """A rollback keeps it; no key is no work."""
    storage = LocalStorage(settings.home)
    draft = storage.temp()
    draft.write_text("x")
    sync(draft)
    storage.adopt(draft, "a/b")
    with contextlib.suppress(ZeroDivisionError), database.session() as session:
        delete_after_commit(session, storage, "a/b")
        session.execute(text("SELECT 1"))
        raise ZeroDivisionError
    assert storage.path("a/b").exists()
    with database.session() as session:
        delete_after_commit(session, storage, None)
        delete_after_commit(session, storage, "a/b")
        session.execute(text("SELECT 1"))
        assert storage.path("a/b").exists()
    assert not storage.path("a/b").exists()
