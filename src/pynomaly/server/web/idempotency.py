"""`Idempotency-Key`: a request that is sent again, since its answer was lost, is carried out once.

The key is claimed before the work; the transaction that has the effect marks it as carried out, and a claim
that was lost to another attempt rolls that transaction back. So however a process dies, there is at most one
effect. The answer is kept for a day and given again.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from pynomaly.errors import BadValue, Conflict
from pynomaly.server.db import Database, new_id, utc_now
from pynomaly.server.web.answered import Answered
from pynomaly.server.web.deps import CallerDep, DatabaseDep
from pynomaly.server.web.models import IdempotencyKey

KEPT = timedelta(hours=24)
STALE = timedelta(minutes=2)
"""A claim this old whose effect never came belongs to a process that died."""
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Any text, new for each new request: sent again within a day, it does nothing twice.",
    ),
]


@dataclass
class Claim:
    """One attempt's right to carry a request out."""

    database: Database
    user_id: str
    key_hash: str
    id: str
    secret: bool
    """The answer holds a secret, which is not kept."""
    carried_out: bool = False

    def carry_out(self, session: Session, response: Response | None = None) -> None:
        """Mark the request as carried out, with its answer when it is known, in the effect's transaction.

        Raises:
            Conflict: another attempt has taken over; the effect must be rolled back.
        """
        if session.scalar(self._mine().values(carried_out=True, **self._kept(response))) is None:
            raise Conflict("Another request with this Idempotency-Key is being carried out.")
        self.carried_out = True

    def keep(self, response: Response) -> None:
        """Keep the answer of an effect that is committed."""
        with self.database.session() as session:
            session.execute(self._mine().values(**self._kept(response)))

    def release(self) -> None:
        """Let the key be used again: nothing was done."""
        mine = (IdempotencyKey.claim == self.id, IdempotencyKey.carried_out.is_(False))
        with self.database.session() as session:
            session.execute(delete(IdempotencyKey).where(*mine))

    def _mine(self) -> Any:
        row = (IdempotencyKey.user_id == self.user_id, IdempotencyKey.key_hash == self.key_hash)
        mine = update(IdempotencyKey).where(*row, IdempotencyKey.claim == self.id)
        return mine.returning(IdempotencyKey.claim)

    def _kept(self, response: Response | None) -> dict[str, Any]:
        if response is None:
            return {}
        body = None if self.secret else bytes(response.body)
        return {"status": response.status_code, "location": response.headers.get("location"), "body": body}


def claim_of(request: Request) -> Claim | None:
    """The claim of a request, if it came with a key."""
    return getattr(request.state, "idempotency", None)


@asynccontextmanager
async def _claimed(
    request: Request, user_id: str, database: Database, key: str | None, *, secret: bool
) -> AsyncIterator[None]:
    if key is None:
        yield
        return
    fingerprint = await _fingerprint(request)
    found = await run_in_threadpool(_take, database, user_id, key, fingerprint, secret=secret)
    if isinstance(found, Response):
        raise Answered(found)
    request.state.idempotency = found
    try:
        yield
    finally:
        if not found.carried_out:
            with suppress(Exception):  # an unreachable database; the claim goes stale by itself
                await run_in_threadpool(found.release)


async def _open(
    request: Request, caller: CallerDep, database: DatabaseDep, key: Key = None
) -> AsyncIterator[None]:
    async with _claimed(request, caller.user.id, database, key, secret=False):
        yield


async def _secret(
    request: Request, caller: CallerDep, database: DatabaseDep, key: Key = None
) -> AsyncIterator[None]:
    async with _claimed(request, caller.user.id, database, key, secret=True):
        yield


Idempotent = Depends(_open, scope="function")
"""For the `dependencies` of every route that creates something."""
IdempotentSecret = Depends(_secret, scope="function")
"""The same for one whose answer shows a secret once."""


@contextmanager
def once(database: Database, user_id: str, token: str, about: str) -> Iterator[Claim]:
    """Let a form whose answer shows a secret do its work once, by the random `token` that it holds.

    The block calls `carry_out` in the effect's transaction. A page that is loaded anew sends the same token.

    Raises:
        Conflict: the form was sent before; the secret is not kept.
    """
    fingerprint = hashlib.sha256(f"form {about}".encode()).hexdigest()
    found = _take(database, user_id, f"form {token}", fingerprint, secret=True)
    assert isinstance(found, Claim)  # an answer with a secret is never kept
    try:
        yield found
    finally:
        if not found.carried_out:
            found.release()


async def _fingerprint(request: Request) -> str:
    """Hash what is asked for; of an upload, which is not read twice, its length stands for the body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = b"" if kind.startswith("multipart/") else await request.body()
    length = request.headers.get("content-length", "") if kind.startswith("multipart/") else ""
    asked = f"{request.method} {request.url.path}?{request.url.query} {kind} {length}\n"
    return hashlib.sha256(asked.encode() + body).hexdigest()


def _take(database: Database, user_id: str, key: str, fingerprint: str, *, secret: bool) -> Claim | Response:
    """Claim a key, or find the answer that was given with it.

    Raises:
        BadValue: the key was used for another request.
        Conflict: the first request is still being carried out, or its answer is not kept.
    """
    key_hash = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    claim = Claim(database, user_id, key_hash, new_id(), secret)
    take = partial(_insert, database, claim, fingerprint)
    if take():
        return claim
    with database.session() as session:
        row = session.get(IdempotencyKey, (user_id, key_hash), with_for_update=True)
        if row is None:
            raise Conflict(
                "Another request with this Idempotency-Key has just ended: send it again.", retry_after=1
            )
        if row.fingerprint != fingerprint:
            raise BadValue(
                "This Idempotency-Key was used for another request: choose a new one.",
                place="header",
                pointer="#/Idempotency-Key",
            )
        if row.carried_out:
            return _given_before(row)
        if row.claimed_at > utc_now() - STALE:
            raise Conflict("The first request with this Idempotency-Key is not done yet.", retry_after=1)
        row.claim, row.claimed_at = claim.id, utc_now()
        return claim


def _insert(database: Database, claim: Claim, fingerprint: str) -> bool:
    """Claim a new key; False when it is known."""
    row = IdempotencyKey(
        user_id=claim.user_id, key_hash=claim.key_hash, fingerprint=fingerprint, claim=claim.id
    )
    try:
        with database.session() as session:
            session.execute(delete(IdempotencyKey).where(IdempotencyKey.claimed_at < utc_now() - KEPT))
            session.add(row)
    except IntegrityError:
        return False
    return True


def _given_before(row: IdempotencyKey) -> Response:
    if row.status is None or row.body is None:
        lost = "it showed a secret once" if row.status is not None else "it was lost"
        raise Conflict(f"This request was carried out before; its answer is not kept: {lost}.")
    headers = {"Idempotency-Replayed": "true"}
    if row.location is not None:
        headers["Location"] = row.location
    return Response(row.body, row.status, headers, "application/json" if row.body else None)
