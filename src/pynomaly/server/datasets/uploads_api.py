"""REST routes of uploads that come in parts, after the tus protocol 1.0 (https://tus.io).

HEAD, PATCH and DELETE are those of tus (core, expiration, termination); an upload begins with JSON instead of
`Upload-Metadata`, so that it is described and checked as everything else here is.
"""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response

from pynomaly.server.datasets import parts, uploads
from pynomaly.server.datasets.models import Upload
from pynomaly.server.datasets.schemas import UploadAnswer, UploadBody, UploadList
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import (
    AllowUpload,
    Cursor,
    DatabaseDep,
    Limit,
    SessionDep,
    SettingsDep,
    StorageDep,
    may,
)
from pynomaly.server.web.idempotency import Idempotent

router = APIRouter(prefix="/datasets/uploads", tags=["datasets"], route_class=ApiRoute)
Writer = Annotated[User, may("datasets:write")]

PART = "application/offset+octet-stream"
PART_BODY = {
    "requestBody": {
        "required": True,
        "content": {PART: {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}},
    }
}
Offset = Annotated[
    int, Header(alias="Upload-Offset", ge=0, le=2**62, description="Bytes that are on the server already.")
]


@router.post("", status_code=201, dependencies=[Idempotent])
def begin(
    actor: Writer,
    session: SessionDep,
    storage: StorageDep,
    settings: SettingsDep,
    response: Response,
    body: UploadBody,
) -> UploadAnswer:
    """Begin an upload that comes in parts; one that is too large is refused before anything is sent."""
    upload = uploads.begin(
        session,
        actor,
        storage,
        settings,
        filename=body.filename,
        size=body.size,
        fingerprint=body.fingerprint,
        wishes=body.wishes(),
    )
    response.headers["Location"] = f"/api/v1/datasets/uploads/{upload.id}"
    response.headers.update(_headers(upload))
    return UploadAnswer.of(upload)


@router.get("")
def show_all(
    actor: Writer, session: SessionDep, limit: Limit = 50, cursor: Cursor = None, _fields: Fields = None
) -> UploadList:
    """List one's own uploads that are not finished, newest first."""
    found, next_cursor = uploads.list_page(session, actor, cursor, limit)
    return UploadList(items=[UploadAnswer.of(upload) for upload in found], next_cursor=next_cursor)


@router.get("/{id}")
def show(
    actor: Writer,
    session: SessionDep,
    response: Response,
    id: str,  # noqa: A002
    _fields: Fields = None,
) -> UploadAnswer:
    """See how far an upload is, and which dataset it has become.

    HEAD tells it in the headers `Upload-Offset` and `Upload-Length`: the next part begins there.
    """
    upload = uploads.get(session, actor, id)
    response.headers.update(_headers(upload))
    return UploadAnswer.of(upload)


@router.patch("/{id}", status_code=204, dependencies=[AllowUpload], openapi_extra=PART_BODY)
async def append(
    request: Request,
    actor: Writer,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    id: str,  # noqa: A002
    upload_offset: Offset,
) -> Response:
    """Send the part that begins at `Upload-Offset`; the last one makes the dataset that `Location` names.

    What came of a part whose connection was cut is kept. 409 when the upload is at another byte, or another
    request is sending.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PART:
        raise HTTPException(415, f"Send the part as {PART}.")
    upload = await parts.receive(request, database, storage, settings, actor, id, upload_offset)
    return Response(None, 204, _headers(upload))


@router.delete("/{id}", status_code=204)
def cancel(
    actor: Writer,
    session: SessionDep,
    storage: StorageDep,
    id: str,  # noqa: A002
) -> None:
    """Cancel an upload: what has come of it is deleted. Of a complete one the dataset stays."""
    uploads.cancel(session, actor, storage, id)


def _headers(upload: Upload) -> dict[str, str]:
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.size),
        "Upload-Expires": f"{upload.expires_at:%a, %d %b %Y %H:%M:%S GMT}",
        "Cache-Control": "no-store",
    }
    if upload.dataset_id is not None:
        headers["Location"] = f"/api/v1/datasets/{upload.dataset_id}"
    return headers
