"""Uploads that come in parts: begin one, see how far it is, cancel it, make its dataset; see `parts`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from pynomaly.errors import BadValue, Conflict, NotFound, TableEmpty, TooLarge
from pynomaly.server import paging
from pynomaly.server.access import require
from pynomaly.server.blobs import delete_after_commit
from pynomaly.server.datasets import service
from pynomaly.server.datasets.models import Upload
from pynomaly.server.db import new_id, utc_now
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.settings import MIB, Settings

MOST_FINGERPRINT = 200
SORTS = paging.Sorts(Upload.id, {"created_at": Upload.created_at})


def check_size(size: int, filename: str, settings: Settings) -> None:
    """Refuse a file by its size, before any of it is sent.

    Raises:
        TableEmpty, TooLarge: it has no bytes, or too many.
    """
    if size <= 0:
        raise TableEmpty(f"The file {filename!r} is empty.")
    if size > settings.max_upload_mib * MIB:
        raise TooLarge(
            f"The file {filename!r} has {size / MIB:,.0f} MiB; an upload has {settings.max_upload_mib:,} MiB "
            "at most. Leave out columns or rows, or compress it with gzip or zstd.",
            limit=settings.max_upload_mib * MIB,
        )


def begin(
    session: Session,
    actor: User,
    storage: LocalStorage,
    settings: Settings,
    *,
    filename: str,
    size: int,
    fingerprint: str = "",
    wishes: Mapping[str, Any] | None = None,
) -> Upload:
    """Begin an upload of `size` bytes; it is kept for `settings.upload_hours` after each part.

    `fingerprint` is whatever the sender knows the same file by, later. `wishes` as `service.check_wishes`.

    Raises:
        TableEmpty, TooLarge, BadValue: it cannot become a dataset.
        Conflict: there are too many that are not finished.
    """
    require(actor, "datasets:write")
    filename, wishes = service.check_wishes(filename, wishes or {})
    if len(fingerprint) > MOST_FINGERPRINT:
        raise BadValue(f"A fingerprint has at most {MOST_FINGERPRINT} characters.", pointer="#/fingerprint")
    check_size(size, filename, settings)
    upload = Upload(
        id=new_id(),
        owner_id=actor.id,
        filename=filename,
        size=size,
        key=f"uploads/{new_id()}",
        fingerprint=fingerprint,
        wishes=wishes,
        expires_at=utc_now() + timedelta(hours=settings.upload_hours),
    )
    begun = storage.temp(".part")
    begun.touch(0o600)
    storage.adopt(begun, upload.key)
    count = select(func.count()).select_from(Upload).where(*_unfinished(actor))
    if session.scalars(count).one() >= settings.max_uploads:
        storage.delete(upload.key)
        raise Conflict(
            f"You have {settings.max_uploads} unfinished uploads: finish or cancel one first.",
            limit=settings.max_uploads,
        )
    session.add(upload)
    session.flush()
    return upload


def list_page(
    session: Session, actor: User, cursor: str | None = None, limit: int = 50
) -> tuple[list[Upload], str | None]:
    """List one's own uploads that are not finished, newest first; returns them and the next page's cursor."""
    query = select(Upload).where(*_unfinished(actor))
    page = paging.page(session, query, SORTS, "-created_at", cursor, limit)
    return page.items, page.next_cursor


def get(session: Session, actor: User, id_: str, *, lock: bool = False) -> Upload:
    """Return one of one's own uploads; nobody sees those of others.

    Raises:
        NotFound: there is none, or it was not finished in time.
    """
    upload = None
    if paging.UUID.fullmatch(id_):
        query = select(Upload).where(Upload.id == id_, Upload.owner_id == actor.id)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        upload = session.scalars(query).one_or_none()
    if upload is None or (upload.dataset_id is None and upload.expires_at < utc_now()):
        raise NotFound("There is no upload with this id, or it was not finished in time: begin it again.")
    return upload


def advance(session: Session, id_: str, since: int, offset: int, settings: Settings) -> None:
    """Note that the bytes from `since` up to `offset` are here.

    Raises:
        Conflict: another request has sent them, or the upload was cancelled.
    """
    expires_at = utc_now() + timedelta(hours=settings.upload_hours)
    here = Upload.id == id_, Upload.offset == since, Upload.dataset_id.is_(None)
    done = update(Upload).where(*here).values(offset=offset, expires_at=expires_at).returning(Upload.id)
    if session.scalars(done, execution_options={"synchronize_session": False}).first() is None:
        raise Conflict("The upload was cancelled, or another request has sent this part: ask how far it is.")


def complete(session: Session, actor: User, id_: str) -> Upload:
    """Make the dataset of an upload that is all here, exactly once; one that is not stays as it is."""
    upload = get(session, actor, id_, lock=True)
    if upload.dataset_id is None and upload.offset == upload.size:
        dataset = service.add(
            session, upload.owner_id, upload.key, upload.size, upload.filename, upload.wishes
        )
        upload.dataset_id = dataset.id
        session.flush()
    return upload


def cancel(session: Session, actor: User, storage: LocalStorage, id_: str) -> None:
    """Delete an upload and what has come of it; the dataset that it has become stays."""
    require(actor, "datasets:write")
    upload = get(session, actor, id_, lock=True)
    if upload.dataset_id is None:
        delete_after_commit(session, storage, upload.key)
    session.delete(upload)
    session.flush()


def sweep(session: Session, _settings: Settings) -> None:
    """Delete the uploads whose time is over; their files, which no row names any more, are swept then."""
    session.execute(delete(Upload).where(Upload.expires_at < utc_now()))


def _unfinished(actor: User) -> tuple[Any, ...]:
    return Upload.owner_id == actor.id, Upload.dataset_id.is_(None), Upload.expires_at >= utc_now()
