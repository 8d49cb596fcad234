"""The ranked rows of a finished detection.

The result is a Parquet file sorted by rank (1 to n) with the columns `RESULT_COLUMNS`; the values stay in the
dataset's file. Its `is_anomaly` is what the run flagged: since then the threshold may have been moved, so the
anomalies are the first `Detection.n_anomalies` ranks.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynomaly.detection.wording import retold
from pynomaly.server.datasets.values import values_at

RESULT_COLUMNS = ("rank", "row", "score", "p_value", "is_anomaly", "summary", "reasons", "nearest_normal")
READ = tuple(name for name in RESULT_COLUMNS if name != "is_anomaly")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of a result: `rank` 1 is the most anomalous; `values` are the dataset's, by column.

    `summary` and `nearest_normal` are None in rows that have no reasons.
    """

    rank: int
    row: int
    score: float
    p_value: float
    is_anomaly: bool
    summary: str | None
    reasons: list[dict[str, Any]]
    nearest_normal: dict[str, Any] | None
    values: dict[str, Any]


def filled(
    found: Sequence[tuple[Any, ...]], dataset: Path, columns: Sequence[str], n_anomalies: int
) -> list[ResultRow]:
    """Make rows of what was read of the columns `READ`, with the dataset's values."""
    values = values_at(dataset, columns, [row for _, row, *_ in found])
    return [
        ResultRow(
            rank=rank,
            row=row,
            score=score,
            p_value=p_value,
            is_anomaly=rank <= n_anomalies,
            summary=retold(summary, rank <= n_anomalies) if summary else None,
            reasons=json.loads(reasons) if reasons else [],
            nearest_normal=json.loads(nearest) if nearest else None,
            values=shown,
        )
        for (rank, row, score, p_value, summary, reasons, nearest), shown in zip(found, values, strict=True)
    ]
