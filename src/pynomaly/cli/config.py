"""`pynomaly config`: show the settings in force, secrets masked."""

import json
import re
from typing import Annotated, Any, Literal

import typer
from pydantic import SecretStr

from pynomaly.settings import Settings, load

MASK = "********"
SECRET = re.compile(r"pass|key|secret|token", re.IGNORECASE)
app = typer.Typer(help="Show the settings.", add_completion=False)
Format = Annotated[Literal["table", "json"], typer.Option("--format", help="How to show the settings.")]


@app.callback()
def describe() -> None:
    """Show the settings."""


@app.command()
def show(style: Format = "table") -> None:
    """List every setting: its variable, its value, where the value comes from, what it means."""
    settings = load()
    rows = [_row(settings, name) for name in Settings.model_fields]
    if style == "json":
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['variable']}={row['value']}  ({row['source']})\n    {row['help']}")


def _row(settings: Settings, name: str) -> dict[str, Any]:
    return {
        "variable": f"PYNOMALY_{name.upper()}",
        "value": _shown(name, getattr(settings, name)),
        "source": "environment" if name in settings.model_fields_set else "default",
        "help": Settings.model_fields[name].description,
    }


def _shown(name: str, value: Any) -> str | int | float:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if name == "database_url":
        return _without_password(value)
    return value if isinstance(value, int | float) else str(value if value is not None else "")


def _without_password(url: str) -> str:
    """Mask the password, which may also stand in the query."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if not url:
        return ""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return MASK
    query = {key: MASK if SECRET.search(key) else value for key, value in parsed.query.items()}
    return parsed.set(query=query).render_as_string(hide_password=True)
