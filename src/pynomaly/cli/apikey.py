"""`pynomaly apikey`: make, list, revoke and replace your API keys."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pynomaly.cli.options import names
from pynomaly.cli.remote import Limit, Remote, Yes, confirm, personal

app = typer.Typer(help="Look after your API keys.", add_completion=False)
Id = Annotated[str, typer.Argument(metavar="ID", help="The key's identifier.")]
LINE = {
    "id": "id",
    "name": "name",
    "prefix": "begins",
    "scopes": "scopes",
    "created_at": "made",
    "expires_at": "ends",
    "last_used_at": "last used",
    "revoked_at": "revoked",
}
ABOUT = ("key", "id", "name", "scopes", "expires_at")


@app.callback()
def describe() -> None:
    """Look after your API keys."""


@app.command()
@personal
def create(
    remote: Remote,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str], typer.Option(metavar="A,B,…", help="What it may do, such as datasets:read; repeatable.")
    ],
    days: Annotated[int | None, typer.Option(min=1, help="How long it works. [default: for ever]")] = None,
) -> None:
    """Make a key, which is shown this once; a key cannot make keys, so log in with --login."""
    ends = None if days is None else datetime.now(UTC) + timedelta(days=days)
    remote.show(remote.client.api_keys.create(name, names(scope), expires_at=ends), ABOUT)


@app.command("list")
@personal
def list_(
    remote: Remote,
    live: Annotated[bool, typer.Option("--live", help="Only those that work.")] = False,
    limit: Limit = 50,
) -> None:
    """List your keys; of each only its first characters are known."""
    found = remote.client.api_keys.list(live=live or None, page_size=remote.page_size(limit))
    remote.show_all(found, LINE, limit)


@app.command()
@personal
def revoke(remote: Remote, id: Id, yes: Yes = False) -> None:  # noqa: A002
    """Refuse a key from now on."""
    confirm(f"Revoke the key {id}?", yes)
    remote.client.api_keys.revoke(id)
    remote.note(f"revoked {id}")


@app.command()
@personal
def rotate(
    remote: Remote,
    id: Id,  # noqa: A002
    overlap: Annotated[int, typer.Option(min=0, metavar="MINUTES", help="How long both keys work.")] = 0,
) -> None:
    """Make a key that takes another's place, and is shown this once."""
    remote.show(remote.client.api_keys.rotate(id, overlap_minutes=overlap), ABOUT)
