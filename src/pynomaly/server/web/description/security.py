"""Who may call each operation, in OpenAPI's words."""

from typing import Any

from pynomaly.server.users.permissions import MEANING, SCOPES
from pynomaly.server.web.cookies import SESSION_COOKIE
from pynomaly.server.web.description.operation import Operation

SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token from `POST /auth/login`, or an API key.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key (`pyn_…`), with no more than its scopes.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The cookie of the web UI's log-in; only for requests from its own pages.",
    },
}


def secure(operation: Operation) -> None:
    """Name the credentials and the permission that an operation needs."""
    if not operation.knows_caller:
        operation.raw["security"] = []
        return
    needed = operation.permissions
    by_key = all(one in SCOPES for one in needed)
    ways = [name for name in SCHEMES if by_key or name != "api_key"]
    operation.raw["security"] = [{name: list(needed)} for name in ways]
    for one in needed:
        operation.raw["description"] += f"\n\nNeeds the permission `{one}`: {MEANING[one]}."  # type: ignore[index]
