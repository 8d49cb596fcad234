"""What Schemathesis is told about this API beside its description."""

import json
import os
from typing import Any

import schemathesis
from schemathesis.openapi.checks import JsonSchemaError, UseAfterFree

KEPT = frozenset(filter(None, os.environ["FUZZ_KEEP"].split(",")))
"""Accounts and log-ins that the run itself needs."""
NOBODY = "00000000-0000-4000-8000-000000000000"


@schemathesis.serializer("application/offset+octet-stream")
def as_bytes(_context: Any, value: Any) -> bytes:
    """A part of a file is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Let no run close its own account: everything after would be refused, and nothing learnt."""
    given = case.path_parameters or {}
    for name in [name for name, value in given.items() if value in KEPT]:
        given[name] = NOBODY


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, _response: Any) -> bool:
    """Let pass what is meant.

    An answer with `fields` may lack what its schema requires (the check below looks at it), and an API key
    that was revoked is still told of, with `revoked_at`.
    """
    if isinstance(failure, UseAfterFree) and case.path.startswith("/api/v1/auth/api-keys/"):
        return False
    sparse = "fields" in (case.query or {})
    return not (sparse and isinstance(failure, JsonSchemaError) and failure.schema_path[-1] == "required")


@schemathesis.check
def only_the_fields_asked_for(_context: Any, response: Any, case: Any) -> None:
    """`fields` names all that an answer has."""
    fields = (case.query or {}).get("fields")
    if not isinstance(fields, str) or response.status_code != 200 or not case.path.startswith("/api/"):
        return
    content = json.loads(response.content)
    wanted = {name.strip() for name in fields.split(",")}
    for item in content.get("items", [content]) if "next_cursor" in content else [content]:
        assert item.keys() <= wanted, f"fields={fields} answers {sorted(item.keys() - wanted)} too"
