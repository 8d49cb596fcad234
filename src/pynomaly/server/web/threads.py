"""Routes that do their work in a thread, and only that: one way there and back for each request."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool


class ThreadRoute(APIRoute):
    """A route whose plain `def` endpoint runs in a thread.

    FastAPI would send the answer of such an endpoint to a thread a second time, to be validated. Ours are
    models that were validated when they were made; checking them again is quicker than the way to a thread.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add `endpoint` at `path`."""
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else in_thread(endpoint), **options)


def in_thread(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Make a coroutine function of a plain one, with the same signature."""

    @wraps(endpoint)
    async def run(*arguments: Any, **named: Any) -> Any:
        return await run_in_threadpool(endpoint, *arguments, **named)

    return run
