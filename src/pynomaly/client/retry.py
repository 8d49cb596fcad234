"""When a request is tried again, and after how long: exponential backoff with full jitter, Retry-After.

Written here and not taken from a library: the loop is a dozen lines of a flow, and runs as it is in the
blocking and the asynchronous client.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from pynomaly.client.errors import retry_after
from pynomaly.client.flow import Reply

AGAIN = frozenset({429, 502, 503, 504})
REFUSED = frozenset({429, 503})
"""Of these, the server or its proxy says that it did not begin."""


@dataclass(frozen=True)
class Retry:
    """How patient a client is."""

    tries: int = 6
    """How often one request is sent at most; 1: never again."""
    first: float = 0.2
    """Seconds; the most that is waited before the second try. Doubles with each further one."""
    longest: float = 10.0
    """Seconds; the most that is waited between two tries, unless the server names more."""
    deadline: float = 120.0
    """Seconds from the first try on, after which no further one begins."""
    draw: Callable[[], float] = random.random
    """A random number from 0 to 1."""

    def pause(self, tried: int) -> float:
        """Draw how long to wait after so many tries: evenly from 0 up, so that clients spread (full jitter).

        >>> [Retry(draw=lambda: 1.0).pause(tried) for tried in (1, 2, 3, 9)]
        [0.2, 0.4, 0.8, 10.0]
        """
        return self.draw() * min(self.longest, self.first * 2.0 ** (tried - 1))

    def after(self, reply: Reply, tried: int) -> float:
        """How long to wait after an answer: as long as it says, and a little of our own."""
        return (retry_after(reply.headers) or 0.0) + self.pause(tried)
