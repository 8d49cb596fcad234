"""Bodies with very many mistakes are refused before each of them is looked at."""

from typing import Any

import pytest
from pydantic import Field, ValidationError

from pynomaly.server.web.schema import MOST_ITEMS, Body


class Thing(Body):
    """Something that is sent."""

    name: str = ""
    tags: list[int] = Field([], max_length=5)
    sizes: dict[str, int] = Field({})


def errors_of(given: Any) -> list[str]:
    """Which kinds of errors there are."""
    with pytest.raises(ValidationError) as refused:
        Thing.model_validate(given)
    return [error["type"] for error in refused.value.errors()]


def test_a_few_mistakes_are_all_told() -> None:
    given = {"name": 3, "tags": ["x"], "colour": "red", "shape": "round"}
    assert errors_of(given) == ["string_type", "int_type", "extra_forbidden", "extra_forbidden"]


def test_too_many_fields_are_refused_before_each_is_looked_at() -> None:
    assert errors_of({f"k{number}": 1 for number in range(100_000)}) == ["too_many_fields"]


@pytest.mark.parametrize(
    "given", [{"tags": ["x"] * 6}, {"sizes": {f"k{n}": "x" for n in range(MOST_ITEMS + 1)}}]
)
def test_too_many_items_are_refused_before_each_is_looked_at(given: Any) -> None:
    assert errors_of(given) == ["too_many_items"]
