"""What every request and answer body has in common."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request's JSON body: unknown fields and numbers that are not finite are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Answer(BaseModel):
    """An answer's JSON body, read from attributes of a row."""

    model_config = ConfigDict(from_attributes=True)


class FieldProblem(BaseModel):
    """One wrong field of a request."""

    pointer: str
    detail: str


class ProblemAnswer(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str
    errors: list[FieldProblem] = []
