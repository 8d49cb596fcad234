"""`pynomaly detector`: define detectors on a server, train them, choose among their versions, share them."""

from pathlib import Path
from typing import Annotated

import typer

from pynomaly.cli import sharing
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
from pynomaly.cli.remote import Limit, NoWait, Output, Remote, Timeout, Yes, confirm, remote
from pynomaly.errors import UsageError

app = typer.Typer(help="Define and train detectors on a server.", add_completion=False)
Id = Annotated[str, typer.Argument(metavar="ID", help="The detector's identifier.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="The detectors' identifiers.")]
Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's identifier.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="Its number, or an alias.")]
Name = Annotated[str | None, typer.Option(help="What people call it.")]
LINE = {
    "id": "id",
    "name": "name",
    "algorithm": "algorithm",
    "status": "status",
    "created_at": "made",
    "updated_at": "changed",
}
WAYS = ("contamination", "max_alerts", "fdr", "quantile", "threshold")
ABOUT = (*LINE, "description", "parameters", "columns", *WAYS, "error_detail")
CUT = ("version", *WAYS, "flagged_share")
VERSION = {
    "version": "version",
    "active": "in use",
    "aliases": "aliases",
    "dataset_id": "dataset",
    "threshold": "threshold",
    "estimated_contamination": "estimated contamination",
    "created_at": "made",
}


@app.callback()
def describe() -> None:
    """Define and train detectors on a server."""


@app.command()
@remote
def create(
    remote: Remote,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    algorithm: Algorithm = None,
    param: Param = None,
    columns: Columns = None,
    contamination: Contamination = None,
    max_alerts: MaxAlerts = None,
    fdr: Fdr = None,
    quantile: Quantile = None,
    seed: Seed = None,
) -> None:
    """Define a detector."""
    chosen = threshold(contamination=contamination, max_alerts=max_alerts, fdr=fdr, quantile=quantile)
    given = recipe(algorithm, param, columns, seed)
    remote.show(remote.client.detectors.create(name=name, **given, **chosen), ABOUT)


@app.command("list")
@remote
def list_(remote: Remote, name: Name = None, limit: Limit = 50) -> None:
    """List the detectors that you may see, newest first."""
    found = remote.client.detectors.list(name=name, page_size=remote.page_size(limit))
    remote.show_all(found, LINE, limit)


@app.command()
@remote
def show(remote: Remote, id: Id) -> None:  # noqa: A002
    """Look at one detector."""
    remote.show(remote.client.detectors.get(id), ABOUT)


@app.command()
@remote
def rename(remote: Remote, id: Id, name: Annotated[str, typer.Argument(help="The new name.")]) -> None:  # noqa: A002
    """Give a detector another name."""
    remote.show(remote.client.detectors.update(id, name=name), ABOUT)


@app.command()
@remote
def train(
    remote: Remote,
    id: Id,  # noqa: A002
    dataset: Dataset,
    no_wait: NoWait = False,
    timeout: Timeout = None,
) -> None:
    """Train a detector on a dataset, and wait until that is done."""
    with remote.waiting():
        detector = remote.client.detectors.train(
            id, dataset, wait=not no_wait, timeout=timeout, on_job=remote.on_job
        )
    remote.show(detector, ABOUT)


@app.command()
@remote
def versions(remote: Remote, id: Id, limit: Limit = 50) -> None:  # noqa: A002
    """List the trained versions, newest first."""
    found = remote.client.detectors.versions(id, page_size=remote.page_size(limit))
    remote.show_all(found, VERSION, limit)


@app.command()
@remote
def activate(remote: Remote, id: Id, version: Version) -> None:  # noqa: A002
    """Use this version from now on."""
    remote.show(remote.client.detectors.activate(id, version), ABOUT)


@app.command()
@remote
def rollback(remote: Remote, id: Id) -> None:  # noqa: A002
    """Use the version again that was in use before."""
    remote.show(remote.client.detectors.rollback(id), ABOUT)


@app.command("threshold")
@remote
def move(
    remote: Remote,
    id: Id,  # noqa: A002
    contamination: Contamination = None,
    max_alerts: MaxAlerts = None,
    fdr: Fdr = None,
    quantile: Quantile = None,
    score: Annotated[float | None, typer.Option(help="Flag what scores higher.")] = None,
) -> None:
    """Move the threshold, without training again."""
    chosen = threshold(contamination=contamination, max_alerts=max_alerts, fdr=fdr, quantile=quantile)
    if score is not None:
        chosen["threshold"] = score
    if len(chosen) != 1:
        raise UsageError("Say where to: --contamination, --max-alerts, --fdr, --quantile or --score.")
    remote.show(remote.client.detectors.set_threshold(id, **chosen), CUT)


@app.command()
@remote
def compare(remote: Remote, id: Id, before: Version, after: Version) -> None:  # noqa: A002
    """Tell what differs between two versions."""
    found = remote.client.detectors.compare(id, before, after)
    if remote.as_json:
        remote.show(found, ())
        return
    changes = [*found.definition, *found.columns, *found.outcome]
    remote.show_all(changes, {"name": "what", "before": "before", "after": "after"}, len(changes) or 1)


@app.command()
@remote
def alias(
    remote: Remote,
    id: Id,  # noqa: A002
    name: Annotated[str, typer.Argument(help="The name; `production` is the version in use.")],
    version: Version,
) -> None:
    """Give a version a name, or let the name stand for another version."""
    remote.show(remote.client.detectors.set_alias(id, name, version), ("alias", "version"))


@app.command()
@remote
def export(
    remote: Remote,
    id: Id,  # noqa: A002
    output: Output,
    version: Annotated[str | None, typer.Option(help="A number or alias. [default: the one in use]")] = None,
) -> None:
    """Write a version to a model file, which `pynomaly detect --model` and other servers read."""
    remote.client.detectors.export(id, output, version=version)
    remote.note(f"wrote {output}")


@app.command("import")
@remote
def import_(
    remote: Remote,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model file.")],
    name: Name = None,
) -> None:
    """Make a detector of a model file."""
    remote.show(remote.client.detectors.import_file(file, name=name), ABOUT)


@app.command()
@remote
def delete(
    remote: Remote,
    ids: Ids,
    cascade: Annotated[bool, typer.Option("--cascade", help="Also the results that depend on them.")] = False,
    yes: Yes = False,
) -> None:
    """Delete detectors with their versions."""
    confirm(f"Delete {len(ids)} detector(s): {', '.join(ids)}?", yes)
    for one in ids:
        remote.client.detectors.delete(one, cascade=cascade)
        remote.note(f"deleted {one}")


sharing.install(app, "detectors")
