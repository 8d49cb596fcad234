"""One operation of the API: what FastAPI says of it, and what its route's dependencies tell."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pynomaly.server.web.api_route import ApiRoute
from pynomaly.server.web.deps import get_caller
from pynomaly.server.web.errors import is_inference_path
from pynomaly.server.web.facts import calls, header_names, permissions_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"


class Operation:
    """A path with a method, and the facts from which its description follows."""

    def __init__(self, path: str, method: str, raw: dict[str, Any], route: Any) -> None:
        """Describe `raw`, a part of the schema, which is changed in place."""
        self.path = path
        self.method = method
        self.raw = raw
        self._route = route

    @cached_property
    def permissions(self) -> list[str]:
        """The permissions that it needs."""
        return permissions_of(self._route.dependant)

    @cached_property
    def knows_caller(self) -> bool:
        """Whether it asks who is asking."""
        return bool(self.permissions) or get_caller in calls(self._route.dependant)

    @cached_property
    def counts_requests(self) -> bool:
        """Whether the limits of requests per minute count it."""
        return isinstance(self._route, ApiRoute) or self.knows_caller

    @cached_property
    def reads_headers(self) -> set[str]:
        """The request headers that it reads, in small letters."""
        return header_names(self._route.dependant)

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET"

    @property
    def is_inference(self) -> bool:
        """Whether it belongs to the Open Inference Protocol, whose errors are its own."""
        return is_inference_path(self.path)

    @property
    def answers(self) -> dict[str, dict[str, Any]]:
        """Its answers by status."""
        found: dict[str, dict[str, Any]] = self.raw["responses"]
        return found

    @property
    def successes(self) -> dict[str, dict[str, Any]]:
        """Its answers that are no errors."""
        return {status: answer for status, answer in self.answers.items() if status[0] == "2"}

    @property
    def body(self) -> dict[str, Any]:
        """The kinds of body that it takes."""
        return dict(self.raw.get("requestBody", {}).get("content", {}))

    def parameters(self, place: str) -> list[str]:
        """The names of its parameters in the path, the query or the headers."""
        return [one["name"] for one in self.raw.get("parameters", ()) if one["in"] == place]


def resolve(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a `$ref` to what it names."""
    while "$ref" in schema:
        found: Any = whole
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema
