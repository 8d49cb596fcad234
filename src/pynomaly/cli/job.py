"""`pynomaly job`: follow the work of a server, wait for it, cancel it."""

from typing import Annotated, Literal

import typer

from pynomaly.cli.remote import Limit, Remote, Timeout, remote

app = typer.Typer(help="Follow the work of a server.", add_completion=False)
Id = Annotated[str, typer.Argument(metavar="ID", help="The job's identifier.")]
Status = Annotated[
    Literal["queued", "running", "completed", "failed", "cancelled"] | None, typer.Option(help="Only such.")
]
LINE = {
    "id": "id",
    "kind": "kind",
    "subject_id": "of",
    "status": "status",
    "progress": "progress",
    "created_at": "made",
    "finished_at": "ended",
}
ABOUT = (*LINE, "progress_text", "children", "error_code", "error_detail")


@app.callback()
def describe() -> None:
    """Follow the work of a server."""


@app.command("list")
@remote
def list_(
    remote: Remote,
    status: Status = None,
    kind: Annotated[str | None, typer.Option(help="Only such, as detection.run.")] = None,
    limit: Limit = 50,
) -> None:
    """List your jobs, newest first."""
    found = remote.client.jobs.list(status=status, kind=kind, page_size=remote.page_size(limit))
    remote.show_all(found, LINE, limit)


@app.command()
@remote
def show(remote: Remote, id: Id) -> None:  # noqa: A002
    """Look how far a job is."""
    remote.show(remote.client.jobs.get(id), ABOUT)


@app.command()
@remote
def wait(remote: Remote, id: Id, timeout: Timeout = None) -> None:  # noqa: A002
    """Wait until a job has ended; the exit code says whether it ended well."""
    with remote.waiting():
        job = remote.client.jobs.wait(id, timeout=timeout, on_job=remote.on_job)
    remote.show(job, ABOUT)


@app.command()
@remote
def cancel(remote: Remote, id: Id) -> None:  # noqa: A002
    """Stop a job, with those that it is made of."""
    remote.show(remote.client.jobs.cancel(id), ABOUT)
