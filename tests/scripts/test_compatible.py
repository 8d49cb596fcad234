"""The checker of compatibility finds every kind of break, and v1 has none."""

import copy
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
THING = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": "string"},
        "status": {"type": "string", "enum": ["new", "done"]},
        "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
    },
}
BODY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 100},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "weight": {"type": "number", "minimum": 0},
    },
}
BODY_REF = {"$ref": "#/components/schemas/Body"}
LOCKED = [{"bearer": []}]
BASE: dict[str, Any] = {
    "paths": {
        "/things": {
            "post": {
                "operationId": "things_create",
                "security": [{"bearer": ["write"]}, {"api_key": ["write"]}],
                "parameters": [{"in": "query", "name": "dry", "schema": {"type": "boolean"}}],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}
                },
                "responses": {
                    "201": {
                        "headers": {"Location": {}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    }
                },
            },
            "get": {"operationId": "things_list", "security": [], "responses": {"200": {}}},
        }
    },
    "components": {"schemas": {"Thing": THING, "Body": BODY}},
}


@pytest.fixture(scope="module")
def compatible() -> ModuleType:
    """The script."""
    spec = importlib.util.spec_from_file_location("compatible", ROOT / "scripts" / "compatible.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def post(schema: dict[str, Any]) -> Any:
    """The operation that the changes are made to."""
    return schema["paths"]["/things"]["post"]


def properties(schema: dict[str, Any], model: str) -> Any:
    """The fields of a model."""
    return schema["components"]["schemas"][model]["properties"]


BREAKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "GET /things is gone": lambda s: s["paths"]["/things"].pop("get"),
    "is called things_make": lambda s: post(s).update(operationId="things_make"),
    "query dry is gone": lambda s: post(s)["parameters"].clear(),
    "query dry is required now": lambda s: post(s)["parameters"][0].update(required=True),
    "query dry takes no boolean": lambda s: post(s)["parameters"][0].update(schema={"type": "string"}),
    "query new is new and required": lambda s: post(s)["parameters"].append(
        {"in": "query", "name": "new", "required": True, "schema": {}}
    ),
    "needs a body now": lambda s: post(s)["requestBody"].update(required=True),
    "takes no application/json any more": lambda s: post(s)["requestBody"]["content"].clear(),
    "body/kind is required now": lambda s: s["components"]["schemas"]["Body"]["required"].append("kind"),
    "body/weight is refused now": lambda s: properties(s, "Body").pop("weight"),
    "body/kind takes fewer values": lambda s: properties(s, "Body")["kind"]["enum"].remove("a"),
    "body/name: maxLength is 50 now": lambda s: properties(s, "Body")["name"].update(maxLength=50),
    "body/name: pattern is ^a now": lambda s: properties(s, "Body")["name"].update(pattern="^a"),
    "body/weight: minimum is 1 now": lambda s: properties(s, "Body")["weight"].update(minimum=1),
    "body/weight takes no number": lambda s: properties(s, "Body")["weight"].update(type="integer"),
    "does not answer 201": lambda s: post(s)["responses"].update({"200": post(s)["responses"].pop("201")}),
    "201 gives no application/json": lambda s: post(s)["responses"]["201"].pop("content"),
    "201 has no header Location": lambda s: post(s)["responses"]["201"]["headers"].clear(),
    "201/size is gone": lambda s: properties(s, "Thing").pop("size"),
    "201/id may be missing now": lambda s: s["components"]["schemas"]["Thing"]["required"].remove("id"),
    "201/id may be null now": lambda s: properties(s, "Thing").update(
        id={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "201/status is never": lambda s: properties(s, "Thing")["status"]["enum"].remove("done"),
    "takes no api_key any more": lambda s: post(s)["security"].pop(),
    "needs ['admin'] now": lambda s: post(s)["security"][0].update(bearer=["write", "admin"]),
    "GET /things needs credentials now": lambda s: s["paths"]["/things"]["get"].update(
        security=[{"bearer": []}]
    ),
}
GROWTH: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a new path": lambda s: s["paths"].update({"/more": s["paths"]["/things"]}),
    "a new field in an answer": lambda s: properties(s, "Thing").update(more={"type": "string"}),
    "a new field in a body, not required": lambda s: properties(s, "Body").update(more={"type": "string"}),
    "a new parameter, not required": lambda s: post(s)["parameters"].append(
        {"in": "query", "name": "new", "schema": {}}
    ),
    "a wider type in a body": lambda s: properties(s, "Body").update(
        name={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "a new value in a body": lambda s: properties(s, "Body")["kind"]["enum"].append("c"),
    "a new error": lambda s: post(s)["responses"].update({"418": {}}),
    "a field that is always there": lambda s: s["components"]["schemas"]["Thing"]["required"].append("size"),
    "a looser bound": lambda s: properties(s, "Body")["name"].update(maxLength=500),
    "fewer permissions": lambda s: post(s)["security"][0].update(bearer=[]),
}


@pytest.mark.parametrize("told", BREAKS)
def test_every_break_is_told(compatible: ModuleType, told: str) -> None:
    changed = copy.deepcopy(BASE)
    BREAKS[told](changed)
    found = compatible.breaking(BASE, changed)
    assert any(told in one for one in found), found


@pytest.mark.parametrize("what", GROWTH)
def test_growth_is_no_break(compatible: ModuleType, what: str) -> None:
    changed = copy.deepcopy(BASE)
    GROWTH[what](changed)
    assert compatible.breaking(BASE, changed) == []


def test_v1_stays_compatible(compatible: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """After v1 is released, what this tells is mended in the code, never in the baseline."""
    assert compatible.main([]) == 0, capsys.readouterr().out


def test_the_real_description_without_a_path_is_broken(compatible: ModuleType, tmp_path: Path) -> None:
    described = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
    fewer = copy.deepcopy(described)
    del fewer["paths"]["/api/v1/datasets/{id}"]
    (tmp_path / "fewer.json").write_text(json.dumps(fewer))
    assert compatible.main([str(ROOT / "docs" / "openapi.json"), str(tmp_path / "fewer.json")]) == 1
