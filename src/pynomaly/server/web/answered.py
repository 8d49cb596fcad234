"""Answers that a dependency gives in the route's place: not modified, given before."""

from starlette.responses import Response


class Answered(Exception):
    """The answer is known already; `errors` sends it."""

    def __init__(self, response: Response) -> None:
        """Send `response` instead of running the route."""
        super().__init__()
        self.response = response
