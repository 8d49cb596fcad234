"""Tell how one OpenAPI description breaks clients of another: what is gone, newly demanded, or narrower.

Usage: `python scripts/compatible.py [OLD] [NEW]`; by default the baseline of v1 and what is committed.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
ANYTHING = {"string", "number", "integer", "boolean", "object", "array", "null"}
Json = Mapping[str, Any]


def breaking(old: Json, new: Json) -> list[str]:
    """List what a client of `old` cannot do with `new`, or may receive and not expect."""
    return list(_Comparison(old, new).paths())


class _Comparison:
    """Two descriptions, and the pairs of schemas that are being compared already (they may be recursive)."""

    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        self._open: set[tuple[str, str, bool]] = set()

    def paths(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                name = f"{method.upper()} {path}"
                found = self._new["paths"].get(path, {}).get(method)
                if found is None:
                    yield f"{name} is gone"
                else:
                    yield from self._operation(name, item[method], found)

    def _operation(self, name: str, old: Json, new: Json) -> Iterator[str]:
        if old.get("operationId") != new.get("operationId"):
            yield f"{name} is called {new.get('operationId')}, not {old.get('operationId')}"
        yield from _security(name, old.get("security", []), new.get("security", []))
        yield from self._parameters(name, old.get("parameters", []), new.get("parameters", []))
        yield from self._body(name, old.get("requestBody", {}), new.get("requestBody", {}))
        yield from self._answers(name, old["responses"], new["responses"])

    def _parameters(self, name: str, old: list[Json], new: list[Json]) -> Iterator[str]:
        before = {(one["in"], one["name"]): one for one in old}
        after = {(one["in"], one["name"]): one for one in new}
        for key, one in before.items():
            where = f"{name} {key[0]} {key[1]}"
            if key not in after:
                yield f"{where} is gone"
                continue
            if after[key].get("required") and not one.get("required"):
                yield f"{where} is required now"
            yield from self._accepts(where, one["schema"], after[key]["schema"])
        for key, one in after.items():
            if key not in before and one.get("required"):
                yield f"{name} {key[0]} {key[1]} is new and required"

    def _body(self, name: str, old: Json, new: Json) -> Iterator[str]:
        if new.get("required") and not old.get("required"):
            yield f"{name} needs a body now"
        for kind, content in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"{name} takes no {kind} any more"
            else:
                yield from self._accepts(
                    f"{name} body", content.get("schema", {}), new["content"][kind].get("schema", {})
                )

    def _answers(self, name: str, old: Json, new: Json) -> Iterator[str]:
        for status, answer in old.items():
            if status[0] != "2":
                continue
            if status not in new:
                yield f"{name} does not answer {status} any more"
                continue
            for kind, content in answer.get("content", {}).items():
                found = new[status].get("content", {}).get(kind)
                if found is None:
                    yield f"{name} {status} gives no {kind} any more"
                else:
                    yield from self._gives(
                        f"{name} {status}", content.get("schema", {}), found.get("schema", {})
                    )
            for header in answer.get("headers", {}):
                if header not in new[status].get("headers", {}):
                    yield f"{name} {status} has no header {header} any more"

    def _accepts(self, where: str, old: Json, new: Json) -> Iterator[str]:
        """What is sent by `old` must be good by `new`."""
        olds, news = _variants(old, self._old), _variants(new, self._new)
        for one in olds:
            results = [list(self._narrower(where, one, other)) for other in news]
            if all(results):
                yield from min(results, key=len)

    def _gives(self, where: str, old: Json, new: Json) -> Iterator[str]:
        """What is answered by `new` must be expected by `old`."""
        olds, news = _variants(old, self._old), _variants(new, self._new)
        for one in news:
            results = [list(self._unexpected(where, other, one)) for other in olds]
            if all(results):
                yield from min(results, key=len)

    def _narrower(self, where: str, old: Json, new: Json) -> Iterator[str]:
        if gone := _types(old) - _types(new):
            yield f"{where} takes no {', '.join(sorted(gone))} any more"
            return
        if (allowed := _values(new)) is not None and (
            (before := _values(old)) is None or not before <= allowed
        ):
            yield f"{where} takes fewer values: {sorted((before or set()) - allowed) or sorted(allowed)}"
        yield from _bounds(where, old, new)
        fields, known = old.get("properties", {}), new.get("properties", {})
        for field in set(new.get("required", ())) - set(old.get("required", ())):
            yield f"{where}/{field} is required now"
        for field, schema in fields.items():
            if field in known:
                yield from self._once(where, field, schema, known[field], accepts=True)
            elif new.get("additionalProperties") is False:
                yield f"{where}/{field} is refused now"
        if "items" in old and "items" in new:
            yield from self._accepts(f"{where}/*", old["items"], new["items"])

    def _unexpected(self, where: str, old: Json, new: Json) -> Iterator[str]:
        if more := _types(new) - _types(old):
            yield f"{where} may be {', '.join(sorted(more))} now"
            return
        if (before := _values(old)) is not None and (after := _values(new)) is not None and before - after:
            yield f"{where} is never {sorted(before - after)} any more"
        known = new.get("properties", {})
        for field, schema in old.get("properties", {}).items():
            if field not in known:
                yield f"{where}/{field} is gone"
                continue
            if field in old.get("required", ()) and field not in new.get("required", ()):
                yield f"{where}/{field} may be missing now"
            yield from self._once(where, field, schema, known[field], accepts=False)
        if "items" in old and "items" in new:
            yield from self._gives(f"{where}/*", old["items"], new["items"])

    def _once(self, where: str, field: str, old: Json, new: Json, *, accepts: bool) -> Iterator[str]:
        """Compare a field, unless the same pair of schemas is being compared further up."""
        pair = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True), accepts)
        if pair in self._open:
            return
        self._open.add(pair)
        try:
            compare = self._accepts if accepts else self._gives
            yield from compare(f"{where}/{field}", old, new)
        finally:
            self._open.discard(pair)


def _security(name: str, old: list[Json], new: list[Json]) -> Iterator[str]:
    """Ways to get in that are there no more, or that need more."""
    if not new:
        return
    if not old:
        yield f"{name} needs credentials now"
    after = {scheme: set(scopes) for way in new for scheme, scopes in way.items()}
    for way in old:
        for scheme, scopes in way.items():
            if scheme not in after:
                yield f"{name} takes no {scheme} any more"
            elif after[scheme] - set(scopes):
                yield f"{name} needs {sorted(after[scheme] - set(scopes))} now"


def _bounds(where: str, old: Json, new: Json) -> Iterator[str]:
    for name in UPPER:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{where}: {name} is {new[name]} now"
    for name in LOWER:
        if name in new and (name not in old or new[name] > old[name]):
            yield f"{where}: {name} is {new[name]} now"
    for name in ("pattern", "format"):
        if name in new and new[name] != old.get(name):
            yield f"{where}: {name} is {new[name]} now"


def _variants(schema: Json, whole: Json) -> list[Json]:
    """The alternatives of a schema, references followed."""
    while "$ref" in schema:
        found: Any = whole
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    options = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return [one for option in options for one in _variants(option, whole)] if options else [schema]


def _types(schema: Json) -> set[str]:
    """The JSON types that a schema allows."""
    given = schema.get("type")
    if given is None:
        return {"object"} if "properties" in schema else set(ANYTHING)
    types = {given} if isinstance(given, str) else set(given)
    return types | {"integer"} if "number" in types else types


def _values(schema: Json) -> set[str] | None:
    """The values of a closed list, as JSON; None: any."""
    if "const" in schema:
        return {json.dumps(schema["const"])}
    return {json.dumps(one) for one in schema["enum"]} if "enum" in schema else None


def main(arguments: list[str]) -> int:
    """Print what is broken; 1 when something is."""
    names = arguments or [str(DOCS / "openapi-v1-baseline.json"), str(DOCS / "openapi.json")]
    old, new = (json.loads(Path(name).read_text("utf-8")) for name in names)
    found = breaking(old, new)
    print("\n".join(found) or "compatible")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
