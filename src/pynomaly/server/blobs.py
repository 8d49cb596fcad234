"""Stored files and transactions: a file goes only after the row that named it is gone for good."""

from sqlalchemy import event
from sqlalchemy.orm import Session

from pynomaly.server.storage import LocalStorage


def delete_after_commit(session: Session, storage: LocalStorage, key: str | None) -> None:
    """Delete a blob once the transaction is committed; a rollback keeps it.

    Should the process die in between, the blob has no row and the sweep takes it.
    """
    if key is not None:
        event.listen(session, "after_commit", lambda _: storage.delete(key), once=True)
