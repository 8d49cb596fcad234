"""Find running jobs whose worker is gone: their lease stands still for as long as a lease lasts."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from pynomaly.server.jobs.queue import Lease, State


class Lookout:
    """Watches leases on this process's own monotonic clock.

    Nobody compares two wall clocks, so a clock that jumps, or two that differ, neither take a job from a
    living worker nor leave a dead one's job behind.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Call a lease stale that did not change for so many seconds."""
        self._seconds = seconds
        self._clock = clock
        self._seen: dict[Lease, tuple[datetime | None, float]] = {}

    def stale(self, states: Iterable[State]) -> list[State]:
        """Look at running jobs; gives those to take over."""
        now = self._clock()
        seen, stale = {}, []
        for state in states:
            until, since = self._seen.get(state.lease, (None, now))
            seen[state.lease] = (state.lease_until, since if until == state.lease_until else now)
            if now - seen[state.lease][1] >= self._seconds:
                stale.append(state)
        self._seen = seen
        return stale
