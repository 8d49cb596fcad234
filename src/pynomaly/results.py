"""What a detection found: scores of all rows, and the highest ones with values and reasons."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pynomaly import export
from pynomaly.detection.explain import Explanation, Reason
from pynomaly.phases import Phases
from pynomaly.tables import Table

if TYPE_CHECKING:
    from pynomaly.detection.model import Model

FrameKind = Literal["pandas", "polars", "pyarrow"]
CELLS_AT_ONCE = 200_000
"""Cells that are read at once to be explained, to bound memory."""

WIDE = 100
"""Of the nearest normal row of a table with more columns, only those that the reasons name are written."""

Explained = dict[int, Explanation]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One row of the result: `row` is its 0-based place in the table, `values` its cells as JSON values.

    `nearest_normal` is the most similar of the normal training rows that the model keeps, as {"row": its
    place in the training table, "values": {column: JSON value}}; `summary` says in one sentence why the row
    is unusual.
    """

    row: int
    score: float
    p_value: float
    is_anomaly: bool
    reasons: list[Reason]
    values: dict[str, Any]
    nearest_normal: dict[str, Any]
    summary: str

    def json(self) -> dict[str, Any]:
        """Give row, score, p-value, summary, reasons and the nearest normal row as JSON values."""
        return {
            "row": self.row,
            "score": self.score,
            "p_value": self.p_value,
            "summary": self.summary,
            "reasons": [reason.json() for reason in self.reasons],
            "nearest_normal": self.nearest_normal,
        }


@dataclass
class Result:
    """Scores, p-values and verdicts of all n rows, in the table's order, each of shape (n,).

    A row is an anomaly when its score is above `threshold`. `metrics` has `phases` (seconds, and the
    process's peak memory in MiB by the phase's end) and, for labelled tables, `auc_roc` and
    `average_precision`. `notes` say what was done otherwise than one might expect, such as columns that
    are not used.
    """

    algorithm: str
    threshold: float
    scores: NDArray[np.float64]
    p_values: NDArray[np.float64]
    is_anomaly: NDArray[np.bool_]
    notes: tuple[str, ...]
    phases: Phases = field(repr=False)
    table: Table = field(repr=False)
    model: "Model" = field(repr=False)
    accuracy: dict[str, float | None] = field(repr=False, default_factory=dict)
    frame_kind: FrameKind = field(repr=False, default="pandas")
    explained: Explained = field(repr=False, default_factory=dict)

    @property
    def n_rows(self) -> int:
        """How many rows were scored."""
        return len(self.scores)

    @cached_property
    def n_anomalies(self) -> int:
        """How many rows are anomalies."""
        return int(self.is_anomaly.sum())

    @property
    def estimated_contamination(self) -> float:
        """The share of the training rows that stand out from the rest; 0: no strong anomalies."""
        return self.model.estimated_contamination

    @property
    def seconds(self) -> float:
        """Seconds of all phases together."""
        return self.phases.total

    @property
    def metrics(self) -> dict[str, Any]:
        """Accuracy (when labelled) and phases, as JSON values."""
        return {**self.accuracy, "phases": self.phases.json()}

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """The rows from the highest score down; equal scores in the table's order."""
        return np.argsort(-self.scores, kind="stable")

    def top(self, n: int = 10) -> list[Anomaly]:
        """Give the `n` rows with the highest scores, anomalies or not, with their reasons."""
        rows = self.order[: max(n, 0)].tolist()
        explain(self, rows)
        values = self.table.rows(rows)
        return [self._anomaly(row, cells) for row, cells in zip(rows, values, strict=True)]

    def anomalies(self, most: int | None = None) -> list[Anomaly]:
        """Give the anomalies from the highest score down, at most `most` of them."""
        return self.top(self.n_anomalies if most is None else min(most, self.n_anomalies))

    def to_json(self, top: int = 10) -> dict[str, Any]:
        """Give the result with its `top` highest anomalies as JSON values."""
        return {
            "n_rows": self.n_rows,
            "n_anomalies": self.n_anomalies,
            "threshold": self.threshold,
            "estimated_contamination": self.estimated_contamination,
            "algorithm": self.algorithm,
            "seconds": round(self.seconds, 6),
            "metrics": self.metrics,
            "anomalies": [anomaly.json() for anomaly in self.anomalies(top)],
        }

    def to_frame(self) -> Any:
        """Give row, score, p_value and is_anomaly of all rows, as the kind of frame given, else pandas."""
        return as_frame(self._columns(), self.frame_kind)

    def write(self, path: str | Path) -> None:
        """Write row, score, p_value and is_anomaly of all rows to a .csv, .parquet or .json file."""
        export.write_columns(path, self._columns())

    def write_parquet_ranked(self, path: str | Path, beside: Mapping[str, str] | None = None) -> None:
        """Write all rows by rank: rank (from 1), row, score, p_value, is_anomaly, and what explains them.

        That is summary (text), reasons and nearest_normal (JSON), all NULL in rows that are not explained.
        `beside` are texts that the file keeps beside its rows.
        """
        why = self.explained.items()
        told = {
            "summary": {row: e.summary for row, e in why},
            "reasons": {row: json.dumps([r.json() for r in e.reasons]) for row, e in why},
            "nearest_normal": {row: json.dumps(kept_values(e)) for row, e in why},
        }
        export.write_ranked(path, self._columns(), self.order, told, beside)

    def score_histogram(self, bins: int = 40) -> dict[str, list[Any]]:
        """Count the scores in equally wide bins: `edges` (bins + 1 numbers) and `counts`."""
        counts, edges = np.histogram(self.scores, bins)
        return {"edges": edges.tolist(), "counts": counts.tolist()}

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {
            "row": np.arange(self.n_rows),
            "score": self.scores,
            "p_value": self.p_values,
            "is_anomaly": self.is_anomaly,
        }

    def _anomaly(self, row: int, values: dict[str, Any]) -> Anomaly:
        score, p_value = float(self.scores[row]), float(self.p_values[row])
        why = self.explained[row]
        flagged = bool(self.is_anomaly[row])
        return Anomaly(row, score, p_value, flagged, why.reasons, values, why.nearest_normal, why.summary)


def kept_values(why: Explanation) -> dict[str, Any]:
    """Give the nearest normal row as it is written to a file: of many columns only those that are named."""
    row, values = why.nearest_normal["row"], why.nearest_normal["values"]
    if len(values) > WIDE:
        values = {reason.column: values[reason.column] for reason in why.reasons}
    return {"row": row, "values": values}


def as_frame(columns: dict[str, NDArray[Any]], kind: FrameKind) -> Any:
    """Make a pandas, polars or pyarrow frame of columns."""
    if kind == "polars":
        import polars

        return polars.DataFrame(columns)
    if kind == "pyarrow":
        import pyarrow

        return pyarrow.table(columns)
    import pandas

    return pandas.DataFrame(columns)


def explain(result: Result, rows: Sequence[int], progress: Callable[[float], None] | None = None) -> None:
    """Explain those rows that are not explained yet, a bounded number of cells at a time."""
    table, model = result.table, result.model
    missing = [row for row in rows if row not in result.explained]
    step = max(1, min(5000, CELLS_AT_ONCE // max(len(model.columns), 1)))
    for start in range(0, len(missing), step):
        chunk = missing[start : start + step]
        frame = model.frame_of_rows(table.rows(chunk, model.columns))
        found = model.explanations(frame, result.is_anomaly[chunk].tolist())
        result.explained.update(zip(chunk, found, strict=True))
        if progress:
            progress(min(1.0, (start + step) / len(missing)))
