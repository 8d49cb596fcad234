"""`pynomaly algorithms`: list the catalogue."""

from typing import Annotated, Literal

import typer

from pynomaly.cli import present
from pynomaly.detection import catalogue

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="One algorithm. [default: all]")]
Format = Annotated[Literal["table", "json"], typer.Option("--format", help="How to show the list.")]


def command(name: Name = None, style: Format = "table") -> None:
    """List the algorithms with their parameters, defaults, ranges and help."""
    entries = list(catalogue.CATALOGUE.values()) if name is None else [catalogue.get(name)]
    if style == "json":
        typer.echo(present.json_text([entry.json() for entry in entries]))
    else:
        typer.echo(present.algorithms_text(entries))
