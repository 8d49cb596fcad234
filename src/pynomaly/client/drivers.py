"""Carry flows out over HTTP: `Blocking` in the thread that calls, `Awaiting` on an event loop."""

import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar

import anyio
import anyio.to_thread
import httpx

from pynomaly.client.files import Counted, to_send, whole
from pynomaly.client.flow import Call, Effect, Flow, Pages, Pause, Reply, Send, Unreachable, Upload

T = TypeVar("T")
API = "/api/v1"
CHUNK = 256 * 1024
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Blocking:
    """Runs flows in the thread that calls; any number of threads may share one."""

    def __init__(self, server: str, transport: httpx.BaseTransport | None = None) -> None:
        """Talk to the server at this address."""
        self._http = httpx.Client(base_url=server, transport=transport)
        self._turn = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def run(self, flow: Flow[T]) -> T:
        """Carry a flow out to its end."""
        try:
            effect = next(flow)
            while True:
                try:
                    outcome = self._perform(effect)
                except Exception as error:  # noqa: BLE001 the flow says what to do about it
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            flow.close()

    def iterate(self, pages: Pages[T]) -> Iterator[T]:
        """Give the items of all pages; a page is read when its first item is asked for."""
        page = self.run(pages(None))
        yield from page.items
        while page.next_cursor is not None:
            page = self.run(pages(page.next_cursor))
            yield from page.items

    def _perform(self, effect: Effect) -> Reply | None:
        if isinstance(effect, Send):
            with _told(), _request(self._http, effect) as request:
                return self._send(effect.call, request)
        if isinstance(effect, Pause):
            time.sleep(effect.seconds)
        else:
            with self._turn:
                self.run(effect.flow)
        return None

    def _send(self, call: Call, request: httpx.Request) -> Reply:
        answer = self._http.send(request, stream=True)
        try:
            if call.save is None or not answer.is_success:
                return _reply(answer, answer.read())
            with whole(call.save) as file:
                for chunk in answer.iter_bytes(CHUNK):
                    file.write(chunk)
            return _reply(answer)
        finally:
            answer.close()


class Awaiting:
    """Runs flows on an event loop (asyncio or trio); any number of tasks may share one."""

    def __init__(self, server: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Talk to the server at this address."""
        self._http = httpx.AsyncClient(base_url=server, transport=transport)
        self._turn = anyio.Lock()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Carry a flow out to its end."""
        try:
            effect = next(flow)
            while True:
                try:
                    outcome = await self._perform(effect)
                except Exception as error:  # noqa: BLE001 the flow says what to do about it
                    effect = flow.throw(error)
                else:
                    effect = flow.send(outcome)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            flow.close()

    async def iterate(self, pages: Pages[T]) -> AsyncIterator[T]:
        """Give the items of all pages; a page is read when its first item is asked for."""
        page = await self.run(pages(None))
        for item in page.items:
            yield item
        while page.next_cursor is not None:
            page = await self.run(pages(page.next_cursor))
            for item in page.items:
                yield item

    async def _perform(self, effect: Effect) -> Reply | None:
        if isinstance(effect, Send):
            with _told(), _request(self._http, effect) as request:
                return await self._send(effect.call, request)
        if isinstance(effect, Pause):
            await anyio.sleep(effect.seconds)
        else:
            async with self._turn:
                await self.run(effect.flow)
        return None

    async def _send(self, call: Call, request: httpx.Request) -> Reply:
        answer = await self._http.send(request, stream=True)
        try:
            if call.save is None or not answer.is_success:
                return _reply(answer, await answer.aread())
            with whole(call.save) as file:
                async for chunk in answer.aiter_bytes(CHUNK):
                    await anyio.to_thread.run_sync(file.write, chunk)
            return _reply(answer)
        finally:
            await answer.aclose()


Run = Coroutine[Any, Any, T]


@contextmanager
def _request(http: httpx.Client | httpx.AsyncClient, send: Send) -> Iterator[httpx.Request]:
    """Make the request, with its file open as long as it may be read."""
    call, upload = send.call, send.call.upload
    with to_send(None if upload is None else upload.path) as file:
        request = http.build_request(
            call.method,
            API + call.path,
            params=call.parameters,
            json=call.body,
            headers=dict(send.headers),
            timeout=send.seconds,
            **_form(upload, file),
        )
        if upload is not None:
            _count(request, upload)
        yield request


def _form(upload: Upload | None, file: BinaryIO | None) -> dict[str, Any]:
    if upload is None:
        return {}
    return {"files": {"file": (upload.filename, file)}, "data": dict(upload.fields)}


def _count(request: httpx.Request, upload: Upload) -> None:
    body = request.stream
    assert isinstance(body, httpx.SyncByteStream)  # a multipart body is both kinds
    request.stream = Counted(body, int(request.headers["Content-Length"]), upload.progress)


def _reply(answer: httpx.Response, content: bytes = b"") -> Reply:
    return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, content)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what HTTP's library raises into what a flow knows."""
    try:
        yield
    except (httpx.TransportError, httpx.DecodingError) as error:
        server = f"{error.request.url.scheme}://{error.request.url.netloc.decode()}"
        reason = f"no answer from {server}: {str(error) or type(error).__name__}"
        raise Unreachable(reason, sent=not isinstance(error, NEVER_SENT)) from error
