"""Where the present request comes from, for whoever records an act; empty outside a request."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """The network address, the correlation id and the client's name of a request."""

    address: str = ""
    request_id: str = ""
    user_agent: str = ""


ORIGIN: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - it is frozen
"""Set by the edge; threads that a request uses see it too."""
