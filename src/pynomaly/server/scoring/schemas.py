"""JSON of scoring at once."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from pynomaly.server.web.schema import Answer, Body

MOST_ROWS = 1000
Number = Annotated[int, Field(strict=True, ge=1, lt=2**31)]
Alias = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class ScoreBody(Body):
    """Rows to score, and with what."""

    detector_id: str
    version: Number | Alias | None = Field(
        None, description="A version's number or alias; null: the one in use.", examples=[2, "production"]
    )
    rows: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MOST_ROWS,
        description="Each has a value for every column of the model, by name; null: it is missing.",
        examples=[[{"amount": 12.5, "country": "NL", "at": "2026-03-01T12:00:00Z"}]],
    )
    explain: bool = Field(False, description="Give reasons and a summary for each row.")


class ReasonOfRow(Answer):
    """One column's share in a row's score, with what is typical of it, and the same in words."""

    column: str
    contribution: float
    value: Any
    expected: Any
    text: str


class ScoredRow(Answer):
    """One row's score, in the order of the request; `summary` is null unless `explain` was asked for."""

    score: float
    p_value: float
    is_anomaly: bool
    summary: str | None
    reasons: list[ReasonOfRow]


class ScoreAnswer(Answer):
    """Scores of the rows; a row is an anomaly when its score is above `threshold`."""

    detector_id: str
    model_id: str
    version: int
    threshold: float
    items: list[ScoredRow]
