"""What a client says over the WebSocket."""

from pydantic import Field

from pynomaly.server.live.hub import MOST_JOBS
from pynomaly.server.web.schema import Body


class Topics(Body):
    """What to follow."""

    jobs: list[str] = Field(min_length=1, max_length=MOST_JOBS)


class Command(Body):
    """Follow these from now on, or no more."""

    subscribe: Topics | None = None
    unsubscribe: Topics | None = None
