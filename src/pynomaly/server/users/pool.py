"""The threads that check passwords: few, and beside those that serve everything else."""

import os
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from pynomaly.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")


class PasswordPool:
    """Runs log-ins a few at a time: each takes 25 ms of a core and 19 MiB, so a flood of them must queue."""

    def __init__(self, threads: int = max(1, (os.cpu_count() or 2) // 2), waiting: int = 100) -> None:
        """Run on at most `threads` threads; at most `waiting` log-ins queue for them."""
        self._limiter = CapacityLimiter(threads)
        self._waiting = waiting

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the function on one of the threads; Busy when too many wait already."""
        if self._limiter.statistics().tasks_waiting >= self._waiting:
            raise Busy("Too many people are logging in at once: try again in a second.", retry_after=1)
        return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=self._limiter)
