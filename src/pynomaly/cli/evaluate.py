"""`pynomaly evaluate`: compare algorithms on a labelled table."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pynomaly import export
from pynomaly.cli import present
from pynomaly.cli.detect import Exclude, File, check_outputs, note_rejects
from pynomaly.cli.options import Columns, names
from pynomaly.cli.progress import progress_bar

if TYPE_CHECKING:
    from pynomaly.evaluation import Evaluated, Evaluation, Measure

LabelColumn = Annotated[
    str, typer.Option(metavar="NAME", help="Column with the truth (0/1); no algorithm sees it.")
]
Algorithms = Annotated[
    list[str] | None,
    typer.Option(
        "--algorithms",
        "-a",
        metavar="A,B,…",
        help="Names, also with parameters, such as knn(n_neighbors=10), or all; repeatable. "
        "[default: the default algorithm and those tagged as fast]",
    ),
]
Protocol = Annotated[
    Literal["unsupervised", "one-class"],
    typer.Option(
        help="unsupervised: learn from all rows, score all. "
        "one-class: learn from half of the normal rows, score the others and the anomalies."
    ),
]
Seeds = Annotated[int, typer.Option(min=1, metavar="N", help="Runs of each algorithm, with other seeds.")]
Format = Annotated[Literal["table", "json"], typer.Option("--format", help="How to show the comparison.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Write the comparison to this .json (with the charts' data), .csv or .parquet file.",
    ),
]

HEADS = {
    "auc_roc": "AUC ROC",
    "average_precision": "avg precision",
    "precision_at_n": "precision at n",
    "best_f1": "best F1",
    "fit_seconds": "fit s",
    "score_seconds": "score s",
    "peak_mib": "MiB",
}
"""Measure -> head of its column."""

ALL_FAILED = 1


def command(
    file: File,
    label_column: LabelColumn,
    algorithms: Algorithms = None,
    protocol: Protocol = "unsupervised",
    seeds: Seeds = 5,
    columns: Columns = None,
    exclude: Exclude = None,
    style: Format = "table",
    output: Output = None,
) -> None:
    """Compare algorithms on a table whose anomalies are known: accuracy, seconds and memory."""
    from pynomaly.evaluation import contenders, evaluate
    from pynomaly.tables import read

    check_outputs(file, output, None, None)
    asked = ",".join(algorithms) if algorithms else None
    contenders(asked)  # refused before the table is read
    with progress_bar() as progress:
        table = read(file)
        note_rejects(table)
        found = evaluate(
            table,
            label_column,
            asked,
            protocol=protocol,
            seeds=seeds,
            columns=names(columns) if columns else None,
            exclude=names(exclude or []),
            progress=progress,
        )
    if output is not None:
        write(found, output)
    show(found, style)
    if all(row.error is not None for row in found.algorithms):
        raise typer.Exit(ALL_FAILED)


def write(found: "Evaluation", path: Path) -> None:
    """Write a row for each algorithm, or all that is known as JSON."""
    if export.check_suffix(path) == ".json":
        export.write_bytes(path, present.json_text(found.to_json(charts=True)).encode() + b"\n")
    else:
        export.write_columns(path, found.columns())


def show(found: "Evaluation", style: str) -> None:
    """Print the comparison, and on standard error what one should know about it."""
    for note in found.notes:
        typer.echo(f"pynomaly: note: {note}", err=True)
    if style == "json":
        typer.echo(present.json_text(found.to_json()))
        return
    for row in found.algorithms:
        for note in row.notes:
            typer.echo(f"pynomaly: note: {row.algorithm}: {note}", err=True)
    typer.echo("\n".join(lines(found)))


def lines(found: "Evaluation") -> Iterator[str]:
    """Write the comparison as a table; those that failed stand below, with the reason."""
    share = found.n_anomalies / found.n_rows
    seeds = f"{found.seeds} seed{'' if found.seeds == 1 else 's'}"
    yield f"{found.n_rows:,} rows, {found.n_anomalies:,} anomalies ({share:.2%}); {found.protocol}, {seeds}"
    done = [row for row in found.algorithms if row.error is None]
    if done:
        table = [["algorithm", *HEADS.values()], *(cells(row) for row in done)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        yield ""
        for first, *others in table:
            rest = (f"{text:>{width}}" for text, width in zip(others, widths[1:], strict=True))
            yield "  ".join([f"{first:<{widths[0]}}", *rest])
    failed = [row for row in found.algorithms if row.error is not None]
    if failed:
        yield ""
    for row in failed:
        yield from present.hanging(f"{row.algorithm}: ", f"failed: {row.error}")


def cells(row: "Evaluated") -> list[str]:
    """Write one algorithm's measures: accuracy with its standard deviation, seconds and memory as means."""
    from pynomaly.evaluation import ACCURACY

    told = [row.algorithm]
    for name in HEADS:
        measure = row.measures[name]
        told.append(spread(measure) if name in ACCURACY else brief(measure))
    return told


def spread(measure: "Measure") -> str:
    """Write a mean with its standard deviation, if there is one."""
    return f"{measure.mean:.3f}" + ("" if measure.sd is None else f" ± {measure.sd:.3f}")


def brief(measure: "Measure") -> str:
    """Write a mean with few digits; a dash where nothing was measured."""
    return "–" if measure.mean is None else f"{measure.mean:.3g}"
