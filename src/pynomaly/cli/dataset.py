"""`pynomaly dataset`: upload tables to a server, look at them, change, download, share and delete them."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pynomaly.cli import sharing
from pynomaly.cli.remote import Limit, NoWait, Output, Remote, Timeout, Yes, confirm, remote
from pynomaly.errors import UsageError

app = typer.Typer(help="Upload tables to a server, and look after them.", add_completion=False)
Id = Annotated[str, typer.Argument(metavar="ID", help="The dataset's identifier.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="The datasets' identifiers.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV, JSON, NDJSON, Parquet or Excel.")]
Name = Annotated[str | None, typer.Option(help="What people call it. [default: the file's name]")]
Label = Annotated[str | None, typer.Option(metavar="NAME", help="Column with the truth (0/1).")]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="COLUMN=TYPE", help="Read a column as this; repeatable."),
]
Status = Annotated[
    Literal["uploaded", "processing", "ready", "failed"] | None, typer.Option(help="Only such.")
]
Sort = Annotated[
    Literal["created_at", "-created_at", "name", "-name", "n_rows", "-n_rows", "size_bytes", "-size_bytes"],
    typer.Option(help="- is downwards."),
]
Form = Annotated[Literal["original", "csv", "parquet"], typer.Option("--format", help="What to write.")]
LINE = {
    "id": "id",
    "name": "name",
    "status": "status",
    "n_rows": "rows",
    "n_columns": "columns",
    "size_bytes": "bytes",
    "created_at": "made",
}
ABOUT = (*LINE, "description", "label_column", "n_rejected", "error_detail")


@app.callback()
def describe() -> None:
    """Upload tables to a server, and look after them."""


@app.command()
@remote
def upload(
    remote: Remote,
    file: File,
    name: Name = None,
    label_column: Label = None,
    types: Types = None,
    no_wait: NoWait = False,
    timeout: Timeout = None,
) -> None:
    """Upload a table, and wait until the server has read it."""
    with remote.waiting():
        dataset = remote.client.datasets.upload(
            file,
            name=name,
            label_column=label_column,
            types=columns_of(types),
            progress=remote.on_bytes,
            wait=not no_wait,
            timeout=timeout,
            on_job=remote.on_job,
        )
    remote.show(dataset, ABOUT)


@app.command("list")
@remote
def list_(
    remote: Remote, status: Status = None, name: Name = None, sort: Sort = "-created_at", limit: Limit = 50
) -> None:
    """List the datasets that you may see."""
    found = remote.client.datasets.list(
        status=status, name=name, sort=sort, page_size=remote.page_size(limit)
    )
    remote.show_all(found, LINE, limit)


@app.command()
@remote
def show(remote: Remote, id: Id) -> None:  # noqa: A002
    """Look at one dataset."""
    remote.show(remote.client.datasets.get(id), ABOUT)


@app.command()
@remote
def columns(remote: Remote, id: Id) -> None:  # noqa: A002
    """List a dataset's columns, and what was measured of them."""
    found = remote.client.datasets.get(id).columns or []
    titles = ("name", "type", "unused", "missing", "distinct", "min", "max", "mean", "std")
    remote.show_all(found, {title: title for title in titles}, len(found) or 1)


@app.command()
@remote
def rows(remote: Remote, id: Id, limit: Limit = 10) -> None:  # noqa: A002
    """Print the first rows."""
    found = remote.client.datasets.rows(id, page_size=remote.page_size(limit))
    remote.show_all(found, {"row": "row", "values": "values"}, limit)


@app.command()
@remote
def quality(remote: Remote, id: Id) -> None:  # noqa: A002
    """Tell what deserves a look before results are trusted, most severe first."""
    found = remote.client.datasets.quality(id)
    if remote.as_json:
        remote.show(found, ())
        return
    titles = {"severity": "severity", "column": "column", "detail": "finding", "suggestion": "suggestion"}
    remote.show_all(found.findings, titles, len(found.findings) or 1)


@app.command()
@remote
def download(remote: Remote, id: Id, output: Output, form: Form = "original") -> None:  # noqa: A002
    """Write the table to a file."""
    remote.client.datasets.download(id, output, format=form)
    remote.note(f"wrote {output}")


@app.command()
@remote
def update(
    remote: Remote,
    id: Id,  # noqa: A002
    name: Name = None,
    description: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    label_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column with the truth; empty: none.")
    ] = None,
    types: Types = None,
) -> None:
    """Change what is given; with --type, the server reads the table again."""
    changes: dict[str, Any] = {"name": name, "description": description, "types": columns_of(types)}
    changes = {field: value for field, value in changes.items() if value is not None}
    if label_column is not None:
        changes["label_column"] = label_column or None
    if not changes:
        raise UsageError("Say what is to be changed: --name, --description, --label-column or --type.")
    with remote.waiting():
        dataset = remote.client.datasets.update(id, on_job=remote.on_job, **changes)
    remote.show(dataset, ABOUT)


@app.command()
@remote
def delete(
    remote: Remote,
    ids: Ids,
    cascade: Annotated[bool, typer.Option("--cascade", help="Also the results that depend on them.")] = False,
    yes: Yes = False,
) -> None:
    """Delete datasets with their rows."""
    confirm(f"Delete {len(ids)} dataset(s): {', '.join(ids)}?", yes)
    for one in ids:
        remote.client.datasets.delete(one, cascade=cascade)
        remote.note(f"deleted {one}")


def columns_of(given: list[str] | None) -> dict[str, str] | None:
    """Read `column=type` options; raises UsageError for one without "=".

    >>> columns_of(["a=b=number"])
    {'a=b': 'number'}
    """
    for option in given or ():
        if "=" not in option:
            raise UsageError(f"--type takes COLUMN=TYPE, such as zip=category, not {option!r}.")
    pairs = (option.rpartition("=") for option in given or ())
    return {column: kind for column, _, kind in pairs} or None


sharing.install(app, "datasets")
