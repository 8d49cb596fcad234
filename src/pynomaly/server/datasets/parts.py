"""Receive one part of an upload into its file, durably, so that a cut connection loses nothing that came."""

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from anyio import CancelScope
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from pynomaly.errors import Conflict, TooLarge
from pynomaly.server.datasets import uploads
from pynomaly.server.datasets.models import Upload
from pynomaly.server.db import Database
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.settings import MIB, Settings

WRITTEN_AT_ONCE = MIB
NOTED_AT_ONCE = 8 * MIB
"""Bytes after which the disk and the database are told."""


class Part:
    """A part that is being received; the lock on the file lets one request at a time write to it."""

    def __init__(
        self,
        database: Database,
        storage: LocalStorage,
        settings: Settings,
        actor: User,
        id_: str,
        offset: int,
    ) -> None:
        """Open the file at `offset`, which must be where it ends.

        Raises:
            Conflict: it ends elsewhere, or another request is writing to it.
        """
        self._database, self._settings, self._id = database, settings, id_
        with database.session(write=False) as session:
            upload = uploads.get(session, actor, id_)
        self._file = _locked(storage.path(upload.key))
        try:
            with database.session(write=False) as session:  # once more, now that nobody else writes
                self._begin(uploads.get(session, actor, id_), offset)
        except BaseException:
            self._file.close()
            raise
        self._waiting = bytearray()

    def _begin(self, upload: Upload, offset: int) -> None:
        if upload.offset != offset:
            raise Conflict(f"The upload is at byte {upload.offset}, not {offset}.", offset=upload.offset)
        self.size, self._noted, self._end = upload.size, offset, offset
        self._is_over = upload.dataset_id is not None
        self._file.seek(offset)

    @property
    def room(self) -> int:
        """How many bytes may still come."""
        return 0 if self._is_over else self.size - self._end - len(self._waiting)

    async def take(self, content: bytes) -> None:
        """Take what has come in; raises TooLarge when that is more than was announced."""
        if len(content) > self.room:
            raise TooLarge(f"The upload has {self.size:,} bytes, as was announced; there are more.")
        self._waiting += content
        if len(self._waiting) >= WRITTEN_AT_ONCE:
            await run_in_threadpool(self._write)

    def _write(self) -> None:
        self._file.write(self._waiting)
        self._end += len(self._waiting)
        self._waiting.clear()
        if self._end - self._noted >= NOTED_AT_ONCE:
            self._note()

    def _note(self) -> None:
        """Bring it to the disk, then say so."""
        self._file.flush()
        os.fsync(self._file.fileno())
        with self._database.session() as session:
            uploads.advance(session, self._id, self._noted, self._end, self._settings)
        self._noted = self._end

    def close(self) -> None:
        """Keep all that has come, and let others write."""
        try:
            self._write()
            if self._end > self._noted:
                self._note()
        finally:
            self._file.close()


def _locked(path: Path) -> BinaryIO:
    try:
        file = path.open("rb+")
    except FileNotFoundError as error:
        raise Conflict("The upload was cancelled.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise Conflict("Another request is sending this upload: ask how far it is, then go on.") from error
    return file


async def receive(
    request: Request,
    database: Database,
    storage: LocalStorage,
    settings: Settings,
    actor: User,
    id_: str,
    offset: int,
) -> Upload:
    """Append the request's body to an upload; the last part makes the dataset.

    Raises:
        Conflict: the upload does not end at `offset`, or another request is writing to it.
        TooLarge: that is more than was announced; nothing of what is too much is kept.
        NotFound: there is no such upload.
    """
    part = await run_in_threadpool(Part, database, storage, settings, actor, id_, offset)
    try:
        if int(request.headers.get("content-length") or 0) > part.room:
            raise TooLarge(f"The upload has {part.size:,} bytes, as was announced; there are more.")
        async for chunk in request.stream():
            await part.take(chunk)
    except ClientDisconnect:
        pass  # what has come is kept: the sender asks how far it is, and goes on from there
    finally:
        with CancelScope(shield=True):
            await run_in_threadpool(part.close)
    return await run_in_threadpool(_complete, database, actor, id_)


def _complete(database: Database, actor: User, id_: str) -> Upload:
    with database.session() as session:
        return uploads.complete(session, actor, id_)
