"""What every request and answer body has in common."""

import re
from typing import Annotated, Any, Literal

from annotated_types import MaxLen
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

MOST_UNKNOWN = 50
MOST_ITEMS = 10_000
"""Of a list or mapping whose field does not say less."""
_DAY_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")


def _written_out(given: Any) -> Any:
    """Refuse numbers, which Pydantic takes for seconds since 1970."""
    if isinstance(given, str) and not _DAY_AND_TIME.match(given):
        raise PydanticCustomError("not_a_moment", "It is no RFC 3339 time, such as 2026-01-31T09:30:00Z")
    if isinstance(given, int | float):
        raise PydanticCustomError("not_a_moment", "It is no text with an RFC 3339 time")
    return given


Moment = Annotated[AwareDatetime, Strict(False), BeforeValidator(_written_out)]
"""A time in a request."""


class Body(BaseModel):
    """A request's JSON body: unknown fields, numbers as text and those that are not finite are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _has_a_sane_size(cls, given: Any) -> Any:
        """Refuse what would take a second to list all the errors of, a hundred thousand in a mebibyte."""
        if not isinstance(given, dict):
            return given
        if len(given) > len(cls.model_fields) + MOST_UNKNOWN:
            raise PydanticCustomError("too_many_fields", "There are too many fields")
        for name, field in cls.model_fields.items():
            value = given.get(field.alias or name)
            if isinstance(value, list | dict) and len(value) > _most(field):
                raise PydanticCustomError("too_many_items", f"{name} has too many items")
        return given


def _most(field: FieldInfo) -> int:
    """The most items that a field may have, as it says itself."""
    return min((one.max_length for one in field.metadata if isinstance(one, MaxLen)), default=MOST_ITEMS)


class Answer(BaseModel):
    """An answer's JSON body, read from attributes of a row."""

    model_config = ConfigDict(from_attributes=True)


class FieldProblem(BaseModel):
    """One wrong field of a request."""

    place: Literal["body", "query", "path", "header", "cookie"] = Field(alias="in")
    pointer: str = Field(description="JSON pointer (RFC 6901) to the field, with `#`.")
    detail: str


class InferenceError(BaseModel):
    """An error, as the Open Inference Protocol describes it."""

    error: str = Field(description="What is wrong, for people.")


class ProblemAnswer(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = Field(description="`urn:pynomaly:problem:` and the code.")
    title: str
    status: int
    detail: str = Field(description="What is wrong, for people.")
    code: str = Field(description="What is wrong, for programs.")
    correlation_id: str = Field(description="`X-Request-ID`: by it the request is found in the logs.")
    errors: list[FieldProblem] = Field([], description="The fields that are wrong.")
    details: dict[str, Any] = Field({}, description="More about it, for programs.")
