"""The API's description is whole: names, examples that fit, every error, who may call, where to go next."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import iter_route_contexts

from pynomaly.server.users.permissions import PERMISSIONS, SCOPES
from pynomaly.server.web.app import create_app
from pynomaly.server.web.description import TAGS
from pynomaly.server.web.facts import header_names, permissions_of
from pynomaly.settings import Settings

pytestmark = pytest.mark.any_database

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
APP = create_app(Settings(home=Path("/nonexistent")))
SCHEMA: dict[str, Any] = json.loads(json.dumps(APP.openapi()))
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in SCHEMA["paths"].items()
    for method, operation in item.items()
}
ROUTES = {
    (method, route.path): route.original_route
    for route in iter_route_contexts(APP.routes)
    for method in getattr(route, "methods", None) or ()
}


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference."""
    while "$ref" in part:
        found: Any = SCHEMA
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def check(value: Any, schema: dict[str, Any]) -> None:
    """Refuse a value that does not fit its schema."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": SCHEMA["components"]}
    jsonschema_rs.Draft202012Validator(whole | schema, validate_formats=True).validate(value)


def contents(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every kind of body that an operation takes or gives."""
    operation = OPERATIONS[name][2]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {kind}", content
    for status, answer in operation["responses"].items():
        for kind, content in resolve(answer).get("content", {}).items():
            yield f"{status} {kind}", content


@pytest.fixture(params=OPERATIONS)
def name(request: pytest.FixtureRequest) -> str:
    """The name of each operation."""
    return str(request.param)


def test_the_committed_description_is_the_present_one() -> None:
    """After a change: `make openapi`."""
    assert json.loads(COMMITTED.read_text("utf-8")) == SCHEMA


def test_every_operation_is_there_once() -> None:
    assert len(OPERATIONS) == sum(len(item) for item in SCHEMA["paths"].values()) > 40
    assert SCHEMA["openapi"].startswith("3.1")
    assert {tag["name"] for tag in SCHEMA["tags"]} <= TAGS.keys()


def test_it_has_a_stable_name_a_summary_and_a_group(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)
    assert len(operation["summary"]) > 10, "the endpoint has no docstring"
    assert set(operation["tags"]) <= {tag["name"] for tag in SCHEMA["tags"]}
    assert all(tag["description"] for tag in SCHEMA["tags"])
    assert path.startswith(("/api/v1/", "/v2")), method


def test_bodies_have_examples_that_fit(name: str) -> None:
    for where, content in contents(name):
        if "json" not in where:
            continue
        assert "schema" in content, where
        given = [one["value"] for one in content.get("examples", {}).values()]
        examples = given or [content["example"]]
        for example in examples:
            check(example, content["schema"])


def test_parameters_have_examples_that_fit(name: str) -> None:
    for parameter in OPERATIONS[name][2].get("parameters", ()):
        if "example" in parameter:
            check(parameter["example"], parameter["schema"])
        else:
            assert not parameter.get("required"), parameter


def test_every_error_has_a_problem_and_an_example(name: str) -> None:
    responses = OPERATIONS[name][2]["responses"]
    assert any(status[0] == "2" for status in responses)
    assert {"400", "500"} <= responses.keys()
    assert "default" not in responses, "a default would hide what is not told"
    for status, answer in responses.items():
        if status[0] not in "45" or (name.endswith(("health", "ready")) and status == "503"):
            continue
        content = resolve(answer)["content"]
        if name.startswith("v2"):
            assert list(content) == ["application/json"], status
            assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/InferenceError"}
            continue
        assert list(content) == ["application/problem+json"], status
        example = content["application/problem+json"]["example"]
        assert example["status"] == int(status)


def test_it_tells_who_may_call(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    needed = permissions_of(ROUTES[method, path].dependant)
    security = operation["security"]
    if not needed:
        assert security == []
        return
    assert set(needed) <= set(PERMISSIONS)
    assert all(list(way.values()) == [needed] for way in security)
    ways = {next(iter(way)) for way in security}
    assert ways == {"bearer", "session"} | ({"api_key"} if set(needed) <= set(SCOPES) else set())
    assert {"401", "403", "429"} <= operation["responses"].keys()
    assert f"`{needed[0]}`" in operation["description"]


def test_it_tells_the_headers_of_its_conventions(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    reads = header_names(ROUTES[method, path].dependant)
    responses = operation["responses"]
    assert ("412" in responses) is ("if-match" in reads)
    assert ("304" in responses) is (method == "GET" and "if-none-match" in reads)
    for status, answer in responses.items():
        headers = resolve(answer).get("headers", {})
        assert all(resolve(one)["description"] for one in headers.values())
        if status[0] == "2":
            assert "X-Request-ID" in headers
            assert ("RateLimit" in headers) is not name.startswith(("health", "v2_health"))
            assert ("Idempotency-Replayed" in headers) is ("idempotency-key" in reads)
    queries = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    if "cursor" in queries:
        assert "Link" in responses["200"]["headers"]


def test_links_lead_to_operations_that_take_them() -> None:
    found = 0
    for _, _, operation in OPERATIONS.values():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                _, _, target = OPERATIONS[link["operationId"]]
                taken = {one["name"] for one in target["parameters"] if one["in"] == "path"}
                assert set(link["parameters"]) == taken
                found += 1
    assert found > 30


def test_times_are_called_times() -> None:
    """What ends in `_at` is RFC 3339 everywhere."""
    found = 0
    for model in SCHEMA["components"]["schemas"].values():
        for field, schema in model.get("properties", {}).items():
            if field.endswith("_at"):
                kinds = schema.get("anyOf", [schema])
                assert {"date-time"} == {one["format"] for one in kinds if one.get("type") != "null"}, field
                found += 1
    assert found > 5


def test_request_bodies_refuse_unknown_fields() -> None:
    for _, _, operation in OPERATIONS.values():
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            schema = resolve(content["schema"])
            if "json" in kind and "properties" in schema:
                assert schema.get("additionalProperties") is False, operation["operationId"]
