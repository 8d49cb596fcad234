"""How many requests a minute one account, key or address may send, and the headers that tell (IETF draft).

The counts are this process's: they keep one client from crowding out the others, and guard no secret (the
limits of logging in, which do, are in the database: `users.throttle`).
"""

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from time import time

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import MutableHeaders

from pynomaly.errors import TooManyRequests
from pynomaly.settings import Settings

WINDOW = 60


@dataclass(frozen=True)
class Allowance:
    """What is left of a client's requests in the present window."""

    policy: str
    quota: int
    remaining: int
    reset: int

    def write(self, headers: MutableHeaders) -> None:
        """Tell the client (draft-ietf-httpapi-ratelimit-headers, structured fields)."""
        headers["RateLimit-Policy"] = f'"{self.policy}";q={self.quota};w={WINDOW}'
        headers["RateLimit"] = f'"{self.policy}";r={self.remaining};t={self.reset}'


class RateLimits:
    """Counts requests; `charge_caller` and `charge_stranger` refuse the one that is too many."""

    def __init__(self, settings: Settings) -> None:
        """Limit as the settings say; 0 means no limit."""
        self._counts = FixedWindowRateLimiter(MemoryStorage())
        self._callers = _per_minute(settings.rate_limit_per_minute)
        self._strangers = _per_minute(settings.rate_limit_anonymous_per_minute)

    def charge_caller(self, request: Request, name: str) -> None:
        """Count a request of a known account or API key; TooManyRequests above the limit."""
        self._charge(request, "caller", self._callers, name)

    def charge_stranger(self, request: Request) -> None:
        """Count a request without valid credentials by its address; TooManyRequests above the limit."""
        if self._strangers is not None:
            address = request.client.host if request.client else ""
            self._charge(request, "address", self._strangers, network(address))

    def _charge(self, request: Request, policy: str, limit: RateLimitItemPerMinute | None, name: str) -> None:
        if limit is None:
            return
        good = self._counts.hit(limit, policy, name)
        end, remaining = self._counts.get_window_stats(limit, policy, name)
        reset = max(1, math.ceil(end - time()))
        request.state.allowance = Allowance(policy, limit.amount, remaining, reset)
        if not good:
            raise TooManyRequests(f"Too many requests: wait {reset} seconds.", retry_after=reset)


def network(address: str) -> str:
    """An address as it is counted: of IPv6 its /64, since one client has all of that.

    >>> network("2001:db8::1") == network("2001:db8::ffff:2")
    True
    >>> network("192.0.2.7")
    '192.0.2.7'
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped) if found.ipv4_mapped else found.packed[:8].hex()


def _per_minute(amount: int) -> RateLimitItemPerMinute | None:
    return RateLimitItemPerMinute(amount) if amount else None
