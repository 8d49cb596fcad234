"""Members of an ensemble as text: `knn(n_neighbors=10, method=mean)`. Knows no algorithm."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SPELLED = re.compile(r"\s*([A-Za-z][\w.]*)\s*(?:\((.*)\))?\s*", re.DOTALL)
_KEYS = {"algorithm", "parameters"}


def split(text: str) -> list[str]:
    """Split at the commas that are outside of parentheses.

    >>> split("hbos, knn(n_neighbors=10, method=mean)")
    ['hbos', 'knn(n_neighbors=10, method=mean)']
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def read(spelled: str) -> tuple[str, dict[str, str]]:
    """Take a member apart: the algorithm's name, and its parameters as they are written.

    Raises ValueError, which says what is wrong.

    >>> read("knn(n_neighbors=10, method=mean)")
    ('knn', {'n_neighbors': '10', 'method': 'mean'})
    """
    found = _SPELLED.fullmatch(spelled)
    if not found:
        raise ValueError(f"{spelled[:60]!r} is not spelled like knn or knn(n_neighbors=10)")
    parameters: dict[str, str] = {}
    for part in split(found[2] or ""):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value) or name in parameters:
            raise ValueError(f"{spelled[:60]!r} does not give each parameter once, as name=value")
        parameters[name] = value
    return found[1], parameters


def spell(name: str, parameters: Mapping[str, Any]) -> str:
    """Write a member so that `read` takes it apart again.

    >>> spell("knn", {"n_neighbors": 10}), spell("hbos", {})
    ('knn(n_neighbors=10)', 'hbos')
    """
    inside = ", ".join(f"{key}={_text(value)}" for key, value in parameters.items())
    return f"{name}({inside})" if inside else name


def spelled_all(value: Any) -> tuple[str, ...]:
    """Spell members given as one text, or as a list of texts, of pairs (name, parameters) or of objects
    with `algorithm` and `parameters`.

    Raises ValueError or TypeError when they are given otherwise.
    """
    items = split(value) if isinstance(value, str) else list(value)
    return tuple(spell(*read(text)) for text in _texts(items))


def _texts(items: list[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            if not set(item) <= _KEYS or not isinstance(item.get("algorithm"), str):
                raise ValueError("an object has the keys 'algorithm' and 'parameters'")
            yield spell(item["algorithm"], item.get("parameters") or {})
        else:
            name, parameters = item
            yield spell(str(name), parameters)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
