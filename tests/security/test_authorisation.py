"""Every route x role x relation x API key answers as the one table of rules says; so do lists and counts."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from rules import RELATIONS, RULES, Rule, Who, expected

from pynomaly.server.users.permissions import SCOPES, Role
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

DESCRIBED = create_app(Settings(home=Path("/nonexistent"))).openapi()
EXAMPLE = "0192f3c4-5b6a-7d8e-9f01-23456789abcd"
INFER = {"inputs": [{"name": "amount", "shape": [1], "datatype": "FP64", "data": [1.0]}]}
BODIES: dict[str, Any] = {
    "POST /v2/models/{name}/infer": INFER,
    "POST /v2/models/{name}/versions/{version}/infer": INFER,
    "POST /api/v1/auth/password": {"current_password": "a wrong one", "new_password": "a new long one"},
    "PUT /api/v1/datasets/{id}/shares": {"everyone": True, "access": "view"},
    "PUT /api/v1/detectors/{id}/shares": {"everyone": True, "access": "view"},
    "PUT /api/v1/detectors/{id}/aliases/{alias}": {"version": 1},
    "PUT /api/v1/detectors/{id}/threshold": {"threshold": 0.5},
    "POST /api/v1/auth/api-keys": {"name": "key", "scopes": ["account:read"]},
}
QUERIES = {
    "GET /api/v1/detectors/{id}/compare": {"versions": "1,2"},
    "DELETE /api/v1/datasets/{id}/shares": {"everyone": "true"},
    "DELETE /api/v1/detectors/{id}/shares": {"everyone": "true"},
}
FIXED = {"{version}": "1", "{alias}": "champion", "{row}": "0"}
ENTRIES = [name for name, rule in RULES.items() if rule is not None]
PROTECTED_API = ("/api/", "/v2", "/metrics")


def people(rule: Rule) -> Iterator[Who]:
    """Everybody who might ask."""
    yield Who(None)
    for role in get_args(Role):
        for relation in RELATIONS if rule.kind else RELATIONS[:1]:
            yield Who(role, relation)
    others = tuple(one for one in SCOPES if one != rule.permission)
    for role in get_args(Role):
        yield Who(role, "own", SCOPES)
        yield Who(role, "own", others)
    if rule.kind:
        yield Who("user", "stranger", SCOPES)


def test_every_route_has_a_rule(world: Any) -> None:
    known = {f"{method} {path}" for method, path in world.routes() if path.startswith(PROTECTED_API[:2])}
    assert known <= RULES.keys(), f"no rule for {sorted(known - RULES.keys())}"


def body_of(name: str) -> Any:
    """A request's body that means something: the one of the description."""
    method, _, path = name.partition(" ")
    operation = DESCRIBED["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {})
    return BODIES.get(name) or content.get("application/json", {}).get("example")


def request_of(name: str, rule: Rule, cell: Any) -> tuple[str, str, dict[str, Any]]:
    """Fill in the thing that is asked for, wherever it is named; what else is named is the asker's own."""
    method, _, path = name.partition(" ")
    subject = getattr(cell, rule.kind) if rule.kind else ""
    own = subject or {"/api/v1/admin/users": cell.user, "/api/v1/auth/api-keys": cell.key}.get(
        path.partition("/{")[0], cell.login
    )
    for place, value in ({"{id}": own, "{name}": own} | FIXED).items():
        path = path.replace(place, value)
    body, query = body_of(name), dict(QUERIES.get(name, {}))
    if body is not None:
        text = json.dumps(body)
        for kind in ("dataset", "detector"):
            value = subject if rule.place.removesuffix("s") == f"{kind}_id" else cell.mine[kind]
            for key in (f'"{kind}_id": "{EXAMPLE}"', f'"{kind}_ids": ["{EXAMPLE}"]'):
                text = text.replace(key, key.replace(EXAMPLE, value))
        body = json.loads(text)
    if rule.place == "ids":
        query["ids"] = f"{subject},{cell.mine['detection']}"
    options: dict[str, Any] = {"params": query, "headers": cell.headers}
    if name.endswith(("/upload", "/detectors/import")):
        options["files"] = {"file": ("p.csv", b"a\n1\n")}
    elif body is not None:
        options["json"] = body
    return method, path, options


@pytest.mark.parametrize("name", ENTRIES)
def test_each_person_gets_what_the_rules_say(world: Any, send: Callable[..., Any], name: str) -> None:
    rule = RULES[name]
    assert rule is not None
    method, _, path = name.partition(" ")
    if (method, path) not in world.routes():
        pytest.skip("the route is not there")
    for who in people(rule):
        cell = world.reader(who) if method == "GET" else world.cell(who)
        method, path, options = request_of(name, rule, cell)
        answer = send(method, path, **options)
        wanted, told = expected(rule, who), f"{name} by {who}: {answer.status_code} {answer.text[:300]}"
        if wanted == 200:
            unseen = answer.status_code == 404 and "you may not see it" in answer.text
            allowed = answer.status_code not in (401, 403, 500) and not unseen
            assert allowed or "current_password" in str(options.get("json")), told
        else:
            assert answer.status_code == wanted, told


def test_the_matrix_has_as_many_cells_as_told(world: Any) -> None:
    cells = sum(1 for rule in RULES.values() if rule is not None for _ in people(rule))
    assert cells > 1000
