"""`pynomaly db`: look after the database."""

import typer

from pynomaly.server import migrate
from pynomaly.settings import load

app = typer.Typer(help="Look after the database.", add_completion=False)


@app.callback()
def describe() -> None:
    """Look after the database."""


@app.command()
def upgrade() -> None:
    """Bring the database's schema up to date (`serve` and `worker` do it by themselves)."""
    settings = load()
    before = migrate.current(settings)
    migrate.upgrade(settings)
    after = migrate.current(settings)
    if before == after:
        typer.echo(f"The schema is up to date: {after}.")
    else:
        typer.echo(f"The schema is now {after}; it was {before or 'not there'}.")


@app.command()
def current() -> None:
    """Show the version of the database's schema, and whether this program needs another one."""
    settings = load()
    version = migrate.current(settings)
    needed = migrate.revisions()[-1]
    remark = "up to date" if version == needed else f"this program needs {needed}"
    typer.echo(f"{version or 'none'} ({remark})")
