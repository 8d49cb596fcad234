"""The OpenAPI description of the API, completed from what its routes do: nobody has to repeat conventions."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from pynomaly.server.web.description import examples, headers, links, names, problems, security
from pynomaly.server.web.description.operation import METHODS, Operation

TAGS = {
    "auth": "Log in and out; one's own account, password, sessions and API keys.",
    "admin": "Accounts and the audit log, for administrators.",
    "datasets": "Stored tables: upload, look at, share, download.",
    "detectors": "An algorithm with its parameters and columns; train it, and manage its versions.",
    "detection": "Find the anomalies of a dataset, or score single rows; results, their rows, and feedback.",
    "jobs": "Everything that takes longer than a moment: follow it, cancel it.",
    "health": "For monitors.",
    "inference": "The Open Inference Protocol v2, for clients like KServe, with errors of its own.",
}


def complete(app: FastAPI, schema: dict[str, Any]) -> None:
    """Add to `schema`, as FastAPI made it, all that follows from the routes' dependencies."""
    operations = list(_operations(app, schema))
    used = {tag for one in operations for tag in one.raw.get("tags", ())}
    schema["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    components = schema.setdefault("components", {})
    components["securitySchemes"] = security.SCHEMES
    components["responses"] = problems.responses()
    components["headers"] = headers.COMPONENTS
    names.give(operations)
    for one in operations:
        security.secure(one)
        problems.add(one)
        headers.add(one)
        examples.add(one, schema)
    links.add(operations, schema)


def _operations(app: FastAPI, schema: dict[str, Any]) -> Iterator[Operation]:
    for route in iter_route_contexts(app.routes):
        for method in getattr(route, "methods", None) or ():
            raw = schema["paths"].get(route.path, {}).get(method.lower())
            if raw is not None and method in METHODS:
                yield Operation(str(route.path), method, raw, route.original_route)
