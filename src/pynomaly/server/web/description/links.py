"""OpenAPI links: which later operations an answer's identifiers lead to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pynomaly.server.web.description.operation import JSON, Operation, resolve

ROOT = "/api/v1"
LEADS = (
    ("datasets_upload", "id", "/datasets"),
    ("detectors_create", "id", "/detectors"),
    ("detectors_import", "id", "/detectors"),
    ("detectors_train", "id", "/detectors"),
    ("detection_detect", "id", "/detection/results"),
    ("auth_api_keys_create", "id", "/auth/api-keys"),
    ("admin_users_create", "id", "/admin/users"),
    ("datasets_list", "items/0/id", "/datasets"),
    ("detectors_list", "items/0/id", "/detectors"),
    ("detection_results_list", "items/0/id", "/detection/results"),
    ("auth_api_keys_list", "items/0/id", "/auth/api-keys"),
    ("auth_sessions_list", "items/0/id", "/auth/sessions"),
    ("admin_users_list", "items/0/id", "/admin/users"),
    ("jobs_list", "items/0/id", "/jobs"),
)
"""An operation, where its answer has an identifier, and the collection that has such things."""
MODELS = "/v2/models"
"""Where clients of the Open Inference Protocol find detectors, by id too."""
JOBS = ("/jobs", "job_id")
"""Whatever answers a `job_id` leads to the job."""


def add(operations: Sequence[Operation], schema: Mapping[str, Any]) -> None:
    """Give each answer links to what can be done next with its identifier."""
    by_name = {one.raw["operationId"]: one for one in operations}
    for name, pointer, collection in LEADS:
        if name in by_name:
            _link(by_name[name], pointer, list(_of_one(operations, collection)))
    for one in operations:
        if not one.is_safe:
            jobs = list(_of_one(operations, JOBS[0]))
            _link(one, JOBS[1], jobs, only_with=(JOBS[1], schema))


def _of_one(operations: Sequence[Operation], collection: str) -> Iterator[Operation]:
    """The operations whose only path parameter is the identifier of something in a collection."""
    roots = (f"{ROOT}{collection}/{{", *([f"{MODELS}/{{"] if collection == "/detectors" else []))
    for one in operations:
        if len(one.parameters("path")) == 1 and one.path.startswith(roots):
            yield one


def _link(
    source: Operation,
    pointer: str,
    targets: Sequence[Operation],
    only_with: tuple[str, Mapping[str, Any]] | None = None,
) -> None:
    for answer in source.successes.values():
        if JSON not in answer.get("content", {}):
            continue
        if only_with is not None:
            name, whole = only_with
            if name not in resolve(answer["content"][JSON].get("schema", {}), whole).get("properties", {}):
                continue
        made = answer.setdefault("links", {})
        for target in targets:
            [parameter] = target.parameters("path")
            made[f"to_{target.raw['operationId']}"] = {
                "operationId": target.raw["operationId"],
                "parameters": {parameter: f"$response.body#/{pointer}"},
            }
