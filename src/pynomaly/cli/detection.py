"""`pynomaly detection`: find anomalies on a server; list, compare, judge, export and delete the results."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pynomaly.cli.options import (
    Algorithm,
    Columns,
    Contamination,
    Fdr,
    MaxAlerts,
    Param,
    Quantile,
    Seed,
    recipe,
    threshold,
)
from pynomaly.cli.remote import Limit, NoWait, Remote, Timeout, Yes, confirm, remote
from pynomaly.errors import FileMissing, InputError, UsageError

app = typer.Typer(help="Find anomalies on a server, and work with the results.", add_completion=False)
Id = Annotated[str, typer.Argument(metavar="ID", help="The result's identifier.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="The results' identifiers.")]
Dataset = Annotated[str | None, typer.Option(metavar="ID", help="A dataset.")]
Detector = Annotated[str | None, typer.Option(metavar="ID", help="A detector.")]
Status = Annotated[
    Literal["queued", "running", "completed", "failed", "cancelled"] | None, typer.Option(help="Only such.")
]
Sort = Annotated[Literal["-score", "score", "row", "-row"], typer.Option(help="- is downwards.")]
LINE = {
    "id": "id",
    "status": "status",
    "algorithm": "algorithm",
    "dataset_id": "dataset",
    "n_rows": "rows",
    "n_anomalies": "anomalies",
    "created_at": "made",
}
OUTCOME = ("detector_id", "threshold", "estimated_contamination", "notes", "error_detail")
ABOUT = (*LINE, "name", "remarks", *OUTCOME, "feedback")
ROW = {"rank": "rank", "row": "row", "score": "score", "p_value": "p-value", "is_anomaly": "anomaly"}
WHY = ROW | {"summary": "why"}


@app.callback()
def describe() -> None:
    """Find anomalies on a server, and work with the results."""


@app.command()
@remote
def run(
    remote: Remote,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's identifier.")],
    detector: Detector = None,
    algorithm: Algorithm = None,
    param: Param = None,
    columns: Columns = None,
    contamination: Contamination = None,
    max_alerts: MaxAlerts = None,
    fdr: Fdr = None,
    quantile: Quantile = None,
    seed: Seed = None,
    no_wait: NoWait = False,
    timeout: Timeout = None,
) -> None:
    """Find the anomalies of a dataset with a detector, or with an algorithm, and wait for the result."""
    chosen = threshold(contamination=contamination, max_alerts=max_alerts, fdr=fdr, quantile=quantile)
    given = recipe(algorithm, param, columns, seed) | chosen
    with remote.waiting():
        result = remote.client.detections.detect(
            dataset, detector, wait=not no_wait, timeout=timeout, on_job=remote.on_job, **given
        )
    remote.show(result, ABOUT)


@app.command("list")
@remote
def list_(
    remote: Remote,
    status: Status = None,
    dataset: Dataset = None,
    detector: Detector = None,
    limit: Limit = 50,
) -> None:
    """List your results, newest first."""
    found = remote.client.detections.list(
        status=status, dataset=dataset, detector=detector, page_size=remote.page_size(limit)
    )
    remote.show_all(found, LINE, limit)


@app.command()
@remote
def show(remote: Remote, id: Id) -> None:  # noqa: A002
    """Look at one result."""
    remote.show(remote.client.detections.get(id), ABOUT)


@app.command()
@remote
def rows(remote: Remote, id: Id, sort: Sort = "-score", limit: Limit = 10) -> None:  # noqa: A002
    """Print rows with scores and reasons, the most anomalous first."""
    found = remote.client.detections.rows(id, sort=sort, page_size=remote.page_size(limit))
    remote.show_all(found, WHY, limit)


@app.command()
@remote
def update(
    remote: Remote,
    id: Id,  # noqa: A002
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    remarks: Annotated[str | None, typer.Option(help="What there is to say about it.")] = None,
) -> None:
    """Name a result, or write remarks on it."""
    given = {"name": name, "remarks": remarks}
    changes: dict[str, Any] = {field: text for field, text in given.items() if text is not None}
    if not changes:
        raise UsageError("Say what is to be changed: --name or --remarks.")
    remote.show(remote.client.detections.update(id, **changes), ABOUT)


@app.command()
@remote
def export(
    remote: Remote,
    id: Id,  # noqa: A002
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PATH", help="A .csv, .parquet or .json file.")
    ],
) -> None:
    """Write all rows with their scores to a file."""
    remote.client.detections.export(id, output)
    remote.note(f"wrote {output}")


@app.command()
@remote
def compare(remote: Remote, ids: Ids) -> None:
    """Put results on the same dataset beside each other."""
    found = remote.client.detections.compare(ids)
    if remote.as_json:
        remote.show(found, ())
        return
    about = {"id": "id", "algorithm": "algorithm", "n_anomalies": "anomalies", "seconds": "seconds"}
    remote.show_all(found.results, about, len(found.results))
    agree = {"ids": "pair", "spearman": "rank correlation", "n_both": "both flag", "n_either": "either flags"}
    remote.show_all(found.pairs, agree, len(found.pairs))


@app.command()
@remote
def score(
    remote: Remote,
    detector: Annotated[str, typer.Argument(metavar="DETECTOR", help="The detector's identifier.")],
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="Rows: a JSON array, or one a line; - reads standard input."),
    ] = "-",
    version: Annotated[str | None, typer.Option(help="A number or alias. [default: the one in use]")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why.")] = False,
) -> None:
    """Score up to 1,000 rows at once; nothing is stored."""
    chosen: dict[str, Any] = {} if version is None else {"version": number(version)}
    found = remote.client.detections.score(detector, rows_of(file), explain=explain, **chosen)
    columns = {"score": "score", "p_value": "p-value", "is_anomaly": "anomaly", "summary": "why"}
    remote.show_all(found.items, columns, len(found.items))


@app.command()
@remote
def feedback(
    remote: Remote,
    id: Id,  # noqa: A002
    verdict: Annotated[Literal["anomaly", "normal", "unsure"], typer.Argument(help="What the rows are.")],
    rows: Annotated[list[int], typer.Argument(metavar="ROW…", min=0, help="Rows, counted from 0.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Say of rows whether they are anomalies."""
    remote.client.detections.feedback(id, dict.fromkeys(rows, verdict), note=note)
    remote.note(f"noted {len(rows)} row(s) as {verdict}")


@app.command()
@remote
def verdicts(remote: Remote, id: Id, limit: Limit = 50) -> None:  # noqa: A002
    """List what was said of a result's rows."""
    found = remote.client.detections.all_feedback(id, page_size=remote.page_size(limit))
    remote.show_all(found, {"row": "row", "verdict": "verdict", "note": "note"}, limit)


@app.command()
@remote
def batch(
    remote: Remote,
    dataset: Annotated[list[str], typer.Option(metavar="ID", help="A dataset; repeatable.")],
    detector: Annotated[list[str], typer.Option(metavar="ID", help="A detector; repeatable.")],
    contamination: Contamination = None,
    max_alerts: MaxAlerts = None,
    fdr: Fdr = None,
    quantile: Quantile = None,
    no_wait: NoWait = False,
    timeout: Timeout = None,
) -> None:
    """Run each detector on each dataset, and wait for all."""
    chosen = threshold(contamination=contamination, max_alerts=max_alerts, fdr=fdr, quantile=quantile)
    with remote.waiting():
        found = remote.client.detections.batch(
            dataset, detector, wait=not no_wait, timeout=timeout, on_job=remote.on_job, **chosen
        )
    columns = {"id": "result", "dataset_id": "dataset", "detector_id": "detector", "error_detail": "not run"}
    remote.show_all(found.items, columns, len(found.items))


@app.command()
@remote
def delete(remote: Remote, ids: Ids, yes: Yes = False) -> None:
    """Delete results with their scores."""
    confirm(f"Delete {len(ids)} result(s): {', '.join(ids)}?", yes)
    for one in ids:
        remote.client.detections.delete(one)
        remote.note(f"deleted {one}")


def rows_of(file: str) -> list[dict[str, Any]]:
    """Read rows: a JSON array of objects, one object, or one object a line.

    Raises:
        FileMissing: there is no such file.
        InputError: it is not that.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise FileMissing(f"Cannot read {file!r}: {error.strerror or error}.") from error
    try:
        if text.lstrip().startswith("["):
            found = json.loads(text)
        else:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise InputError(f"{file!r} is not JSON: {error}.") from error
    if not all(isinstance(row, dict) for row in found):
        raise InputError("Each row must be a JSON object of column and value.")
    return list(found)


def number(version: str) -> int | str:
    """Read a version's number, or leave its alias."""
    return int(version) if version.isascii() and version.isdigit() else version
