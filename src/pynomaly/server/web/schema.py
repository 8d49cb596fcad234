"""What every request and answer body has in common."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A request's JSON body: unknown fields and numbers that are not finite are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Answer(BaseModel):
    """An answer's JSON body, read from attributes of a row."""

    model_config = ConfigDict(from_attributes=True)


class FieldProblem(BaseModel):
    """One wrong field of a request."""

    place: Literal["body", "query", "path", "header", "cookie"] = Field(alias="in")
    pointer: str = Field(description="JSON pointer (RFC 6901) to the field, with `#`.")
    detail: str


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
