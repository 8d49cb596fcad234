"""The WebSocket `/ws`: who is logged in follows jobs, until the log-in, API key or account ends.

`{"subscribe": {"jobs": [ids]}}` answers `{"job": {…}}` for each at once and after every change. What cannot
be done answers `{"error": {"code", "detail", …}}`. It is closed with 4401 when the credentials are good no
more, 1009 for a message that is too long, 1008 for too many that make no sense, and 1013 for a client that
takes nothing.
"""

import asyncio
import json
from contextlib import suppress
from typing import Any, cast

import structlog
from fastapi import APIRouter, Request, WebSocket
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.websockets import WebSocketDisconnect

from pynomaly.errors import Forbidden, PynomalyError, Unauthenticated
from pynomaly.server.live.credentials import Credential, Standing
from pynomaly.server.live.hub import MOST_JOBS, Follower, Hub
from pynomaly.server.live.schemas import Command
from pynomaly.server.web.callers import Caller
from pynomaly.server.web.sockets import deny

MOST_BYTES = 65_536
"""Of one message; `pynomaly serve` has the server itself refuse longer ones."""
MOST_MISTAKES = 10
SLOW_SECONDS = 10.0
"""Who takes nothing for so long is let go."""
UNAUTHENTICATED = 4401
NO_JOB = "There is no job with this id, or you may not see it."

log = structlog.get_logger(__name__)
router = APIRouter()


class _Close(Exception):
    """The conversation is over."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@router.websocket("/ws")
async def follow(socket: WebSocket) -> None:
    """Let in who may follow jobs, and serve them until one side ends it."""
    hub: Hub = socket.app.state.live
    try:
        caller = await _admitted(socket)
        follower = hub.join(*_credential(caller))
    except PynomalyError as error:
        await deny(socket.scope, socket.receive, socket.send, error)
        return
    log.info("socket_opened", user=caller.user.id)
    code = 1000
    try:
        await socket.accept()
        await _converse(socket, hub, follower)
    except _Close as end:
        code = end.code
        with suppress(RuntimeError, WebSocketDisconnect):  # it may be closed already
            await socket.close(end.code, end.reason)
    except (OperationalError, InterfaceError):
        code = 1013
        log.warning("socket_without_database", exc_info=True)
        await socket.close(code, "The database cannot be reached: try again.")
    except WebSocketDisconnect as gone:
        code = gone.code
    finally:
        hub.leave(follower)
        log.info("socket_closed", user=caller.user.id, code=code)


async def _admitted(socket: WebSocket) -> Caller:
    """Find who asks, by the same credentials as for any request; Unauthenticated or Forbidden."""
    state = socket.app.state
    request = cast(Request, socket)  # of which only headers, cookies and address are looked at
    try:
        caller: Caller = await state.callers.find(request)
    except Unauthenticated:
        state.rate_limits.charge_stranger(request)
        raise
    state.rate_limits.charge_caller(request, caller.key.id if caller.key is not None else caller.user.id)
    if "jobs:read" not in caller.permissions:
        raise Forbidden("The API key does not have the scope 'jobs:read'.", permission="jobs:read")
    return caller


def _credential(caller: Caller) -> tuple[Credential, Standing]:
    if caller.key is not None:
        return Credential(caller.key.id, True), Standing(caller.user, caller.key.expires_at)
    assert caller.login is not None
    return Credential(caller.login.id, False), Standing(caller.user, caller.login.expires_at)


async def _converse(socket: WebSocket, hub: Hub, follower: Follower) -> None:
    """Hear and tell at the same time, until either ends or the credentials do."""
    parts = (_hear(socket, hub, follower), _tell(socket, follower), _end(follower))
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end(follower: Follower) -> None:
    await follower.ended.wait()
    raise _Close(UNAUTHENTICATED, "The log-in, API key or account is not valid any more.")


async def _tell(socket: WebSocket, follower: Follower) -> None:
    while await follower.news.wait():
        follower.news.clear()
        while follower.waiting:
            id_ = next(iter(follower.waiting))
            await _send(socket, f'{{"job":{follower.waiting.pop(id_)}}}')


async def _send(socket: WebSocket, text: str) -> None:
    try:
        await asyncio.wait_for(socket.send_text(text), SLOW_SECONDS)
    except TimeoutError:
        raise _Close(1013, "Nothing was taken for too long.") from None


async def _hear(socket: WebSocket, hub: Hub, follower: Follower) -> None:
    mistakes = 0
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is not None and len(text) > MOST_BYTES:
            raise _Close(1009, "The message is too long.")
        command = _read(text)
        if command is None:
            mistakes += 1
            if mistakes > MOST_MISTAKES:
                raise _Close(1008, "Too many messages make no sense.")
            await _refuse(socket, "bad_request", 'Send {"subscribe": {"jobs": [ids]}} or "unsubscribe".')
            continue
        await _obey(socket, hub, follower, command)


def _read(text: str | None) -> Command | None:
    try:
        command = Command.model_validate_json(text or "")
    except (ValidationError, ValueError, RecursionError):
        return None
    return command if command.subscribe or command.unsubscribe else None


async def _obey(socket: WebSocket, hub: Hub, follower: Follower, command: Command) -> None:
    if command.unsubscribe is not None:
        follower.forget(command.unsubscribe.jobs)
    if command.subscribe is None:
        return
    ids = dict.fromkeys(command.subscribe.jobs)
    if len(follower.jobs | ids.keys()) > MOST_JOBS:
        await _refuse(socket, "too_many", f"At most {MOST_JOBS} jobs can be followed over one connection.")
        return
    for id_ in sorted(await hub.follow(follower, list(ids))):
        await _refuse(
            socket, "not_found", "There is no job with this id, or you may not see it.", id=id_[:100]
        )


async def _refuse(socket: WebSocket, code: str, detail: str, **more: Any) -> None:
    await _send(socket, json.dumps({"error": {"code": code, "detail": detail, **more}}))
