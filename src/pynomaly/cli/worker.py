"""`pynomaly worker`: run queued jobs, beside `pynomaly serve` or on another machine."""

from typing import Annotated

import typer

from pynomaly.server import log, production
from pynomaly.server.migrate import upgrade
from pynomaly.server.work import work
from pynomaly.settings import load

Slots = Annotated[
    int | None, typer.Option(min=1, help="Jobs to run at once. [default: one for each CPU, at most 4]")
]


def command(slots: Slots = None) -> None:
    """Run queued jobs until told to stop; more workers may run on the same database and storage."""
    settings = load()
    log.configure(settings)
    production.check(settings)
    upgrade(settings)
    work(settings, slots)
