"""`pynomaly detect`: find the unusual rows of one table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pynomaly import allowance, export
from pynomaly.cli import present
from pynomaly.cli.options import (
    Algorithm,
    Columns,
    Contamination,
    Fdr,
    MaxAlerts,
    Param,
    Quantile,
    Seed,
    names,
    parameters,
    threshold,
)
from pynomaly.cli.progress import progress_bar
from pynomaly.detection import catalogue
from pynomaly.detection.catalogue import DEFAULT
from pynomaly.errors import UsageError

if TYPE_CHECKING:
    from pynomaly.library import Detector, Progress
    from pynomaly.results import Result
    from pynomaly.tables import Table

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="CSV, TSV, JSON, NDJSON, Parquet or Excel, also gzip or zstd; - reads standard input.",
    ),
]
Exclude = Annotated[list[str] | None, typer.Option(metavar="A,B,…", help="Columns to leave out; repeatable.")]
Label = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Column with the truth (0/1): only measures accuracy, never trains."),
]
ModelFile = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Use this saved detector instead of training one.")
]
AllowSkops = Annotated[
    bool, typer.Option("--allow-skops", help="Let --model read a detector of PyOD: only a file you trust.")
]
Save = Annotated[Path | None, typer.Option(metavar="PATH", help="Save the trained detector to this file.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="PATH", help="Write all rows to this .csv, .parquet or .json file."
    ),
]
Format = Annotated[Literal["table", "json"], typer.Option("--format", help="How to show the result.")]
Top = Annotated[int, typer.Option(min=0, metavar="N", help="Show at most so many anomalies.")]
Memory = Annotated[
    int | None,
    typer.Option(
        min=256, metavar="MIB", help="About how much to use. [default: PYNOMALY_MEMORY_MIB or 4096]"
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Use at most so many CPUs. [default: PYNOMALY_THREADS or all]"),
]


def command(
    file: File,
    algorithm: Algorithm = None,
    param: Param = None,
    contamination: Contamination = None,
    max_alerts: MaxAlerts = None,
    fdr: Fdr = None,
    quantile: Quantile = None,
    columns: Columns = None,
    exclude: Exclude = None,
    label_column: Label = None,
    model: ModelFile = None,
    allow_skops: AllowSkops = False,
    save: Save = None,
    output: Output = None,
    style: Format = "table",
    top: Top = 10,
    seed: Seed = None,
    memory: Memory = None,
    threads: Threads = None,
) -> None:
    """Find the unusual rows of a table, and say why each is unusual."""
    training = {
        "algorithm": algorithm,
        "param": param,
        "columns": columns,
        "exclude": exclude,
        "seed": seed,
    }
    check_outputs(file, output, save, model)
    if memory is not None or threads is not None:
        allowance.limit(memory, threads)
    chosen = threshold(contamination=contamination, max_alerts=max_alerts, fdr=fdr, quantile=quantile)
    detector = prepared(model, training, chosen, label_column, allow_skops)
    if model is None:  # refused before the table is read
        catalogue.require(detector.algorithm, detector.parameters)
    with progress_bar() as progress:
        result = run(detector, file, model is None, label_column, progress, top)
    if save is not None:
        detector.save(save)
    if output is not None:
        result.write(output)
    show(result, style, top)


def check_outputs(file: str, output: Path | None, save: Path | None, model: Path | None) -> None:
    """Refuse files that could not be written or would take another's place, before any work is done."""
    if output is not None:
        export.check_suffix(output)
    for path in (output, save):
        if path is not None:
            export.check_folder(path)
    taken = {"the table": None if file == "-" else Path(file).expanduser(), "--model": model}
    for option, path in {"--output": output, "--save": save}.items():
        for what, other in taken.items():
            if path is not None and other is not None and path.resolve() == other.resolve():
                raise UsageError(f"{option} would overwrite {what}: {str(path)!r}. Give it another name.")
        taken[option] = path


def prepared(
    model: Path | None,
    training: dict[str, Any],
    chosen: dict[str, Any],
    label_column: str | None,
    allow_skops: bool = False,
) -> "Detector":
    """Load the saved detector and move its threshold where asked to, or make an untrained one."""
    from pynomaly.library import Detector, load

    given = {name: value for name, value in training.items() if value not in (None, [])}
    if model is not None:
        if given:
            options = ", ".join(f"--{name}" for name in given)
            raise UsageError(f"--model uses a trained detector as it is: leave out {options}, or --model.")
        loaded = load(model, allow_skops=allow_skops)
        return loaded.set_threshold(**chosen) if chosen else loaded
    algorithm = given.get("algorithm", DEFAULT)
    label = [] if label_column is None else [label_column]
    wanted = names(given["columns"]) if "columns" in given else None
    return Detector(
        algorithm,
        columns=wanted and [name for name in wanted if name not in label],
        exclude=names(given.get("exclude", [])) + label,
        seed=given.get("seed", 0),
        **chosen,
        **parameters(algorithm, given.get("param", [])),
    )


def run(
    detector: "Detector",
    file: str,
    train: bool,
    label_column: str | None,
    progress: "Progress | None",
    top: int,
) -> "Result":
    """Read the table, train where asked to, and detect."""
    from pynomaly.library import opened
    from pynomaly.phases import Phases

    reading = Phases()
    with reading.measure("read"):
        table = opened(file)
    note_rejects(table)
    if label_column is not None:
        table.labels(label_column)  # refused before the training, not after it
    if train:
        detector.fit(table, progress)
    result = detector.detect(table, label_column, progress, top)
    result.phases = result.phases.including(reading)
    return result


def note_rejects(table: "Table") -> None:
    """Say which cells could not be read."""
    if table.n_rejected:
        typer.echo(f"pynomaly: note: {present.rejects(table.n_rejected, table.rejects)}", err=True)


def show(result: "Result", style: str, top: int) -> None:
    """Print the result, and on standard error what one should know about it."""
    for note in result.notes:
        typer.echo(f"pynomaly: note: {note}", err=True)
    if style == "json":
        typer.echo(present.json_text(result.to_json(top)))
    else:
        typer.echo(present.result_text(result, top))
