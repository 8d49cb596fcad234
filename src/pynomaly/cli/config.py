"""`pynomaly config`: show the settings in force, secrets masked."""

import json
from typing import Annotated, Literal

import typer

from pynomaly.server.configuration import rows
from pynomaly.settings import load

app = typer.Typer(help="Show the settings.", add_completion=False)
Format = Annotated[Literal["table", "json"], typer.Option("--format", help="How to show the settings.")]
FIELDS = ("variable", "value", "source", "help")


@app.callback()
def describe() -> None:
    """Show the settings."""


@app.command()
def show(style: Format = "table") -> None:
    """List every setting: its variable, its value, where the value comes from, what it means."""
    found = [{name: getattr(row, name) for name in FIELDS} for row in rows(load())]
    if style == "json":
        typer.echo(json.dumps(found, indent=2))
        return
    for row in found:
        typer.echo(f"{row['variable']}={row['value']}  ({row['source']})\n    {row['help']}")
