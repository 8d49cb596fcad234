"""Names of operations that stay when functions are renamed: they follow from path and method."""

import re
from collections.abc import Sequence

from pynomaly.server.web.description.operation import Operation

ROOT = "/api/v1/"
OF_ONE = {"GET": "get", "PUT": "replace", "PATCH": "update", "DELETE": "delete", "POST": "post"}


def give(operations: Sequence[Operation]) -> None:
    """Give each operation its `operationId`, and its first sentence as summary."""
    known = {(one.method, one.path) for one in operations}
    for one in operations:
        one.raw["operationId"] = name_of(one.method, one.path, known)
        first, _, rest = str(one.raw.get("description", "")).partition("\n\n")
        one.raw["summary"] = " ".join(first.split())
        one.raw["description"] = rest or one.raw["summary"]


def name_of(method: str, path: str, known: set[tuple[str, str]]) -> str:
    """Name an operation.

    >>> paths = ["/api/v1/datasets", "/api/v1/datasets/{id}", "/api/v1/datasets/{id}/rows"]
    >>> [name_of("GET", path, {("GET", path) for path in paths}) for path in paths]
    ['datasets_list', 'datasets_get', 'datasets_rows']
    """
    steps = path.removeprefix(ROOT).strip("/").split("/")
    noun = "_".join(step for step in steps if not step.startswith("{")).replace("-", "_").replace(".", "_")
    if steps[-1].startswith("{"):
        return f"{noun}_{OF_ONE[method]}"
    of_one = re.compile(re.escape(path) + r"/\{[^/]+\}")
    is_collection = any(of_one.fullmatch(other) for _, other in known)
    if method == "GET":
        return f"{noun}_list" if is_collection else noun
    if method == "POST":
        return f"{noun}_create" if is_collection or ("GET", path) in known else noun
    if method == "DELETE" and is_collection:
        return f"{noun}_delete_all"
    return f"{noun}_{OF_ONE[method]}"
