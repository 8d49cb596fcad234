"""How an attempt of a job ended."""

from dataclasses import dataclass, field
from typing import Any, Literal

OutcomeKind = Literal["done", "failed", "died", "cancelled", "given_back", "lost"]


@dataclass(frozen=True)
class Outcome:
    """`done` has a result; `failed` is final; `died` is tried again while attempts are left.

    `cancelled` was asked for; `given_back`: the worker stops; `lost`: another worker has taken over.
    """

    kind: OutcomeKind
    code: str = ""
    detail: str = ""
    result: dict[str, Any] = field(default_factory=dict)


CANCELLED = Outcome("cancelled", "cancelled", "The job was cancelled.")
LOST = Outcome("lost")
GIVEN_BACK = Outcome("given_back")


def unexpected(name: str) -> Outcome:
    """The outcome of an error that nobody foresaw; what it says stays in the log."""
    return Outcome("failed", "error", f"An unexpected error ({name}) stopped the job; the log has it.")
