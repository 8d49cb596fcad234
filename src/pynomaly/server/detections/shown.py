"""Rows of a result as its page shows them: reasons with bars, the nearest normal row beside, verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.server.detections import words
from pynomaly.server.detections.models import Detection, Feedback, Verdict
from pynomaly.server.detections.result import ResultRow
from pynomaly.server.users.models import User

MOST_VALUES = 60
"""Columns of a row that the page shows; a wide table's others are on the dataset's page."""
TABLE_COLUMNS = 8
"""Columns of the dataset in the table of rows."""


@dataclass(frozen=True)
class Reason:
    """One reason: its sentence, its bar in percent of the row's strongest, and the values side by side."""

    column: str
    text: str
    share: float
    value: Any
    nearest: Any
    has_nearest: bool
    typical: str

    @property
    def differs(self) -> bool:
        """Whether the nearest normal row has another value."""
        return self.has_nearest and self.nearest != self.value


@dataclass(frozen=True)
class Cell:
    """One value of a row, and that of the nearest normal row."""

    name: str
    value: Any
    nearest: Any
    has_nearest: bool

    @property
    def differs(self) -> bool:
        """Whether the nearest normal row has another value."""
        return self.has_nearest and self.nearest != self.value


@dataclass(frozen=True)
class RankedRow:
    """One row of a result, ready to show."""

    rank: int
    row: int
    score: float
    p_value: float
    is_anomaly: bool
    summary: str
    explained: bool
    reasons: list[Reason]
    cells: list[Cell]
    n_hidden: int
    nearest_row: int | None
    mine: Verdict | None
    others: tuple[Verdict, ...]


def ranked(session: Session, actor: User, detection: Detection, rows: Sequence[ResultRow]) -> list[RankedRow]:
    """Prepare rows with what people said of them."""
    said: dict[int, dict[str, Verdict]] = {row.row: {} for row in rows}
    query = select(Feedback.row, Feedback.user_id, Feedback.verdict)
    query = query.where(Feedback.detection_id == detection.id, Feedback.row.in_(list(said)))
    for row, user_id, verdict in session.execute(query.order_by(Feedback.updated_at)):
        said[row][user_id] = verdict
    n_columns = len(detection.dataset.columns)
    return [_ranked(row, said[row.row], actor.id, n_columns) for row in rows]


def _ranked(row: ResultRow, said: dict[str, Verdict], actor_id: str, n_columns: int) -> RankedRow:
    near: Mapping[str, Any] = row.nearest_normal or {"row": None, "values": {}}
    return RankedRow(
        rank=row.rank,
        row=row.row,
        score=row.score,
        p_value=row.p_value,
        is_anomaly=row.is_anomaly,
        summary=words.summary(row),
        explained=row.summary is not None,
        reasons=list(_reasons(row, near["values"])),
        cells=[Cell(name, value, *_at(near["values"], name)) for name, value in row.values.items()],
        n_hidden=n_columns - len(row.values),
        nearest_row=near["row"],
        mine=said.get(actor_id),
        others=tuple(verdict for user_id, verdict in said.items() if user_id != actor_id),
    )


def _reasons(row: ResultRow, near: Mapping[str, Any]) -> Iterator[Reason]:
    strongest = max((reason["contribution"] for reason in row.reasons), default=0) or 1
    for told in row.reasons:
        share = round(max(0, told["contribution"]) / strongest * 100, 1)
        nearest = _at(near, told["column"])
        yield Reason(
            told["column"], words.reason(told), share, told.get("value"), *nearest, words.typical(told)
        )


def _at(near: Mapping[str, Any], name: str) -> tuple[Any, bool]:
    return near.get(name), name in near


def columns_of(detection: Detection, first: Sequence[str], most: int) -> list[str]:
    """Choose columns to show: those that somebody asks for, then those that were used, then the others."""
    columns = detection.dataset.columns
    names = [column["name"] for column in columns]
    used = [column["name"] for column in columns if not column["unused"]]
    wanted = dict.fromkeys([name for name in first if name in names] + used + names)
    chosen = set(list(wanted)[:most])
    return [name for name in names if name in chosen]
