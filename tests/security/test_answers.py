"""What real answers have in common, on every route: times in UTC, X-Request-ID, the limits of requests."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from rules import RULES, Who
from test_authorisation import request_of

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def moments(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every time in an answer."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from moments(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from moments(one, name)
    elif isinstance(value, str) and (name == "at" or name.endswith("_at")):
        yield name, value


def test_every_answer_keeps_the_conventions(world: Any, send: Callable[..., Any]) -> None:
    found = 0
    for name, rule in RULES.items():
        method, _, path = name.partition(" ")
        if rule is None or method != "GET" or (method, path) not in world.routes():
            continue
        cell = world.cell(Who("admin"))
        method, place, options = request_of(name, rule, cell)
        options["headers"] = options["headers"] | {"X-Request-ID": "conventions-1"}
        answer = send(method, place, **options)
        assert answer.headers["x-request-id"] == "conventions-1", name
        if "json" not in answer.headers.get("content-type", ""):
            continue
        for field, text in moments(answer.json()):
            assert MOMENT.fullmatch(text), (name, field, text)
            found += 1
    assert found > 20
