"""Write rows of a finished detection to one file, in a process of its own: the API stays small and quick.

`python -m pynomaly.server.detections.export` reads its task as JSON from standard input. It is started by
`in_a_process`, and exits with status 3 when the export needs more room than it may have.
"""

import csv
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pynomaly.detection.wording import STARTS
from pynomaly.errors import TableTooLarge
from pynomaly.server.detections.result import RESULT_COLUMNS
from pynomaly.server.detections.search import Selection
from pynomaly.server.written import OPTIONS, harmless, harmless_name, identifier, unique
from pynomaly.tables.engine import connect, literal, reading
from pynomaly.tables.limits import Limits

if TYPE_CHECKING:
    import duckdb

Said = tuple[int, str, str]
"""A row's number, the verdict on it, and a note."""
Format = Literal["csv", "parquet", "json"]
TOO_LARGE = 3
NICENESS = 10
_one_at_a_time = threading.Lock()


def in_a_process(
    chosen: Selection,
    target: Path,
    form: Format,
    *,
    feedback: Sequence[Said] = (),
    memory_mib: int,
    timeout_seconds: float,
) -> None:
    """Do `export` in a process of its own, one at a time, with so much memory for DuckDB.

    Raises:
        TableTooLarge: that was too little.
        subprocess.SubprocessError: it failed otherwise, or took too long.
    """
    of = chosen.of
    files = {"result": str(of.result), "dataset": str(of.dataset), "target": str(target)}
    rows = {"n_anomalies": of.n_anomalies, "where": chosen.where(), "order": chosen.order}
    task = {
        **files,
        **rows,
        "columns": of.names,
        "form": form,
        "feedback": feedback,
        "memory_mib": memory_mib,
    }
    command = [sys.executable, "-m", __name__]
    with _one_at_a_time:
        done = subprocess.run(  # noqa: S603 - our own module
            command, input=json.dumps(task).encode(), capture_output=True, timeout=timeout_seconds
        )
    if done.returncode == TOO_LARGE:
        raise TableTooLarge(done.stderr.decode())
    done.check_returncode()


def main() -> None:
    """Read the task and do it."""
    os.nice(NICENESS)
    task = json.load(sys.stdin)
    limits = Limits(memory_mib=task["memory_mib"], threads=1)
    try:
        export(task, limits)
    except TableTooLarge as error:
        sys.stderr.write(error.message)
        sys.exit(TOO_LARGE)


def export(task: dict[str, Any], limits: Limits) -> None:
    """Write the chosen rows, result columns first, then the dataset's, to `target`, alone in its folder.

    With feedback (row, verdict, note), its verdicts and notes stand between them.
    In CSV, reasons are sentences, the nearest normal row is its number, and text that a spreadsheet would run
    as a formula gets an apostrophe in front.

    Raises:
        TableTooLarge: that needs more memory or disk than `limits` allow.
    """
    result, dataset, target = (Path(task[name]) for name in ("result", "dataset", "target"))
    form: Format = task["form"]
    with (
        connect(limits, target.parent, [result, dataset]) as connection,
        reading("The export", limits),
    ):
        kinds = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(dataset))})").fetchall()
        chosen = _columns(kinds, task)
        joined = ""
        if task["feedback"]:
            _load(connection, task["feedback"], target.parent / "feedback.csv")
            joined = "LEFT JOIN feedback f ON f.row = r.row "
        connection.execute(
            f"COPY (SELECT {chosen} FROM read_parquet({literal(str(result))}) r "
            f"JOIN read_parquet({literal(str(dataset))}, file_row_number = true) d "
            f"ON d.file_row_number = r.row {joined}"
            f"WHERE {task['where']} ORDER BY {task['order']}, r.rank) "
            f"TO {literal(str(target))} ({OPTIONS[form]})"
        )


def _columns(kinds: Sequence[tuple[Any, ...]], task: dict[str, Any]) -> str:
    """Write what is selected: the result's columns, what was said, the dataset's columns."""
    form: Format = task["form"]
    said = ["verdict", "note"] if task["feedback"] else []
    names = unique([*RESULT_COLUMNS, *said, *task["columns"]])
    flagged = f"r.rank <= {task['n_anomalies']}"
    told = {"is_anomaly": f"({flagged})", "summary": _summary(flagged)}
    sources = [told.get(name, f"r.{name}") for name in RESULT_COLUMNS[:-2]]
    sources += [_REASONS[form], _NEAREST[form], *(f"f.{name}" for name in said)]
    sources += [f"d.{name}" for name, *_ in kinds]
    text = [name in ("summary", "reasons") for name in RESULT_COLUMNS]
    text += [True] * len(said)
    text += [kind == "VARCHAR" for _, kind, *_ in kinds]
    if form == "csv":
        sources = [harmless(s) if is_text else s for s, is_text in zip(sources, text, strict=True)]
        names = [harmless_name(name) for name in names]
    return ", ".join(f"{s} AS {identifier(n)}" for s, n in zip(sources, names, strict=True))


def _summary(flagged: str) -> str:
    """Write SQL that tells the sentence about a row as `retold` does."""
    cases = ""
    for below, above in STARTS:
        for when, before, after in ((flagged, below, above), (f"NOT {flagged}", above, below)):
            begins = f"{when} AND starts_with(r.summary, {literal(before)})"
            cases += f"WHEN {begins} THEN {literal(after)} || r.summary[{len(before) + 1}:] "
    return f"(CASE {cases}ELSE r.summary END)"


def _load(connection: "duckdb.DuckDBPyConnection", feedback: Sequence[Said], file: Path) -> None:
    """Hand verdicts to DuckDB as a table: through a file, since that is quick however many there are."""
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, quoting=csv.QUOTE_ALL).writerows(feedback)
    connection.execute(
        f"CREATE TEMP TABLE feedback AS SELECT * FROM read_csv({literal(str(file))}, header = false, "
        "auto_detect = false, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false, "
        "columns = {'row': 'BIGINT', 'verdict': 'VARCHAR', 'note': 'VARCHAR'})"
    )


_REASONS: dict[Format, str] = {
    "csv": "array_to_string(json_extract_string(r.reasons, '$[*].text'), '; ')",
    "parquet": "r.reasons",
    "json": "coalesce(r.reasons, '[]')::JSON",
}
_NEAREST: dict[Format, str] = {
    "csv": "(r.nearest_normal->'$.row')::BIGINT",
    "parquet": "r.nearest_normal",
    "json": "r.nearest_normal::JSON",
}


if __name__ == "__main__":
    main()
