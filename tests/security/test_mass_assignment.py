"""Nobody sets what is not theirs to set: `role`, `owner_id`, `id` and their like, in any body."""

from collections.abc import Callable
from typing import Any

from rules import RULES, Who
from test_authorisation import DESCRIBED, body_of, request_of

Send = Callable[..., Any]
SMUGGLED = {
    "id": "00000000-0000-4000-8000-000000000000",
    "owner_id": "00000000-0000-4000-8000-000000000000",
    "role": "admin",
    "is_admin": True,
    "active": True,
    "permissions": ["users:write"],
    "password_hash": "x",
    "blob_key": "models/x",
    "status": "completed",
    "model_id": "x",
    "created_at": "2020-01-01T00:00:00Z",
    "__class__": "x",
    "__proto__": {"admin": True},
}


def test_every_body_refuses_what_is_not_its_own(world: Any, send: Send) -> None:
    tried = 0
    for name, rule in RULES.items():
        method, _, path = name.partition(" ")
        if path not in DESCRIBED["paths"] or body_of(name) is None:
            continue
        operation = DESCRIBED["paths"][path][method.lower()]
        known = fields(operation["requestBody"]["content"]["application/json"]["schema"])
        for field, value in SMUGGLED.items():
            if field in known or "additionalProperties" in known:
                continue
            cell = world.cell(Who("admin"))
            options = (
                request_of(name, rule, cell)
                if rule is not None
                else (method, path, {"json": body_of(name), "headers": {}})
            )
            method, place, sent = options
            sent["json"] = {**sent["json"], field: value}
            answer = send(method, place, **sent)
            refused = 400 if path.startswith("/v2") else 422
            assert answer.status_code == refused, (name, field, answer.status_code, answer.text[:200])
            assert f"#/{field}" in answer.text, (name, field, answer.text[:300])
            tried += 1
    assert tried > 150


def fields(schema: Any) -> set[str]:
    """The names of the fields that a schema knows."""
    while "$ref" in schema:
        schema = DESCRIBED["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found = set(schema.get("properties", {}))
    for option in schema.get("anyOf", []) + schema.get("oneOf", []):
        found |= fields(option)
    return found


def test_a_person_cannot_make_themself_more(world: Any, send: Send) -> None:
    user = world.user("viewer")
    headers, _ = world.bearer(user)
    for body in ({"role": "admin"}, {"name": "x", "role": "admin"}, {"permissions": []}, {"active": True}):
        assert send("PATCH", "/api/v1/auth/me", headers=headers, json=body).status_code == 422
    assert send("GET", "/api/v1/auth/me", headers=headers).json()["role"] == "viewer"
