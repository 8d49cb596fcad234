"""An example of every request and answer, made from the schemas and from the examples beside their fields."""

from collections.abc import Mapping
from typing import Any

from pynomaly.server.web.description.operation import Operation, resolve

ID = "0192f3c4-5b6a-7d8e-9f01-23456789abcd"
MOMENT = "2026-01-31T09:30:00Z"
KNOWN: dict[str, Any] = {
    "id": ID,
    "email": "ada@example.org",
    "password": "correct horse battery",
    "current_password": "correct horse battery",
    "new_password": "a longer horse battery",
    "name": "Payments",
    "filename": "payments.csv",
    "description": "Card payments of January",
    "label_column": "is_fraud",
    "algorithm": "isolation_forest",
    "n_rows": 400,
    "n_columns": 6,
    "size_bytes": 20480,
    "threshold": 0.62,
    "score": 0.81,
    "p_value": 0.0025,
    "contamination": 0.02,
    "progress": 1.0,
    "version": 1,
    "address": "192.0.2.7",
    "token": "R0x5b2tlbi1leGFtcGxlLW9ubHk",
    "next_cursor": None,
    "parent_id": None,
    "error_code": None,
    "error_detail": None,
    "revoked_at": None,
    "rotated_to_id": None,
    "cancel_requested": False,
    "status": "completed",
    "prefix": "pyn_Zk3vQx7A",
    "key": "pyn_Zk3vQx7Auj0mW5rT9bYc2eLhN8sDf4gKpXv6",
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIuLi4ifQ.c2ln",
    "refresh_token": "u8Q2mXr5Vt7Wy0Zb3Cd6Ef9Gh",
    "expires_in": 600,
    "request_id": "0f9b2c7d4e5a4f0e8c1d2b3a4f5e6d7c",
    "action": "dataset.delete",
    "actor_email": "ada@example.org",
    "target_kind": "dataset",
    "target_name": "Payments",
    "title": "Isolation forest",
    "summary": "amount is far above what is usual.",
    "text": "amount is 9,120 where 40 is usual",
    "unused": None,
    "n_duplicates": 0,
    "n_rejected": 0,
    "n_anomalies": 8,
    "kind": "detection.run",
    "alias": "champion",
    "column": "amount",
    "columns": ["amount", "country"],
    "row": 17,
    "note": "A duplicate booking",
    "notes": "Checked with accounting",
    "scopes": ["datasets:read", "detections:write"],
    "url": "https://pynomaly.example/reset?token=…",
    "features": ["amount"],
    "ip": "192.0.2.7",
    "user_agent": "python-httpx/0.28",
}
"""What a field of this name may hold, where neither its schema nor its model has an example."""
FORMATS = {
    "date-time": MOMENT,
    "uuid": ID,
    "email": "ada@example.org",
    "binary": "…",
    "uri": "https://pynomaly.example/",
}
KINDS = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    type(None): "null",
}
MAX_DEPTH = 12
Schema = Mapping[str, Any]


def add(operation: Operation, whole: Schema) -> None:
    """Add examples to an operation's body, its answers and the parameters it must have; given ones stay."""
    for parameter in operation.raw.get("parameters", ()):
        if parameter.get("required") and "example" not in parameter and "examples" not in parameter:
            parameter["example"] = example(parameter["schema"], whole, parameter["name"])
    for content in operation.body.values():
        _fill(content, whole, request=True)
    for answer in operation.answers.values():
        for kind, content in answer.get("content", {}).items():
            if "json" in kind:
                _fill(content, whole, request=False)


def _fill(content: dict[str, Any], whole: Schema, *, request: bool) -> None:
    if "example" not in content and "examples" not in content:
        content["example"] = example(content.get("schema", {}), whole, request=request)


def example(
    schema: Schema,
    whole: Schema,
    name: str = "",
    *,
    request: bool = False,
    depth: int = 0,
) -> Any:
    """Make a value that a schema allows: its own example, what its name suggests, or the simplest one."""
    given = schema.get("examples")
    if given:
        return given[0]
    schema = resolve(schema, whole)
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if depth > MAX_DEPTH:
        return None
    if options := schema.get("anyOf") or schema.get("oneOf"):
        if name in KNOWN and _suits_any(KNOWN[name], options, whole):
            return KNOWN[name]
        return example(options[0], whole, name, request=request, depth=depth + 1)
    if name in KNOWN and _suits(KNOWN[name], schema):
        return KNOWN[name]
    return _by_type(schema, whole, name, request, depth)


def _by_type(schema: Schema, whole: Schema, name: str, request: bool, depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, whole, request, depth)
    if kind == "array":
        items = schema.get("items", {})
        count = max(1, schema.get("minItems", 1)) if items else 0
        return [example(items, whole, name.removesuffix("s"), request=request, depth=depth + 1)] * count
    if schema.get("default") is not None:
        return schema["default"]
    if kind == "string":
        return _text(schema, name)
    if kind in ("integer", "number"):
        return _number(schema)
    return {"boolean": True, "null": None}.get(str(kind), "…")


def _object(schema: Schema, whole: Schema, request: bool, depth: int) -> dict[str, Any]:
    """All fields of an answer; of a request those that must be given, or else one that may."""
    fields: Schema = schema.get("properties", {})
    chosen = [name for name in fields if not request or name in schema.get("required", ())]
    if request and not chosen:
        chosen = [name for name in fields if name in KNOWN][:1] or list(fields)[:1]
    return {name: example(fields[name], whole, name, request=request, depth=depth + 1) for name in chosen}


def _text(schema: Schema, name: str) -> str:
    if name.endswith("_id"):
        return ID
    if name.endswith("_at"):
        return MOMENT
    text = FORMATS.get(str(schema.get("format")), "text")
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    return (text * (least // max(1, len(text)) + 1))[: max(least, most)] if len(text) < least else text[:most]


def _number(schema: Schema) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if schema.get("type") == "integer":
        return int(low) + ("exclusiveMinimum" in schema) if low is not None else min(1, int(high or 1))
    if low is not None and high is not None:
        return (float(low) + float(high)) / 2
    return float(low) + 1 if low is not None else 0.5 if high is None else float(high) / 2


def _suits_any(value: Any, options: list[Schema], whole: Schema) -> bool:
    return any(_suits(value, resolve(option, whole)) for option in options)


def _suits(value: Any, schema: Schema) -> bool:
    """Tell whether a known value has the type and keeps the bounds that a schema asks for."""
    kinds = {
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "number",
        list: "array",
        type(None): "null",
    }
    kind = kinds[type(value)]
    if schema.get("type") != kind and not (kind == "integer" and schema.get("type") == "number"):
        return False
    if "enum" in schema or "const" in schema or "pattern" in schema:
        return False
    if kind == "string":
        return "format" not in schema or schema["format"] in ("email", "password")
    if kind == "array":
        items = schema.get("items", {})
        return "enum" not in items and "$ref" not in items and items.get("type") == "string"
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    return value is None or low <= value <= high
