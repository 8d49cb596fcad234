"""The command `pynomaly`: finds the verb's module when it is used, and says in one line what went wrong."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from pynomaly.errors import PynomalyError
from pynomaly.version import __version__

if TYPE_CHECKING:
    from typer._click import Command

VERBS = {
    "detect": "Find the unusual rows of a table, and say why each is unusual.",
    "evaluate": "Compare algorithms on a table whose anomalies are known.",
    "algorithms": "List the algorithms with their parameters.",
    "serve": "Serve the web interface and the REST API, with a worker.",
    "worker": "Run queued jobs.",
    "db": "Look after the database.",
    "dataset": "Upload tables to a server, and look after them.",
    "detector": "Define and train detectors on a server.",
    "detection": "Find anomalies on a server, and work with the results.",
    "job": "Follow the work of a server.",
    "user": "Look after user accounts.",
    "apikey": "Look after your API keys.",
    "config": "Show the settings.",
    "demo": "Detect anomalies in a sample table, then serve the web interface with it.",
}
"""Verb -> help. Its module `pynomaly.cli.<verb>` holds a Typer `app` (a group) or a function `command`."""

INTERRUPTED = 130


class Verbs(TyperGroup):
    """Shows every verb without importing it, and imports the one that is used."""

    def __init__(self, **attributes: Any) -> None:
        """List the verbs by name and help."""
        super().__init__(**attributes)
        for name, text in VERBS.items():
            self.add_command(TyperCommand(name, help=text, add_help_option=False, rich_markup_mode=None))

    def resolve_command(self, ctx: Any, args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        """Find the verb that `args` begin with, and import it."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else found, rest


app = typer.Typer(cls=Verbs, name="pynomaly", rich_markup_mode=None, add_completion=False)


def load(verb: str) -> "Command":
    """Import one verb."""
    module = import_module(f"pynomaly.cli.{verb}")
    if hasattr(module, "app"):
        module.app.rich_markup_mode = None
        group = get_group(module.app)
        group.name = verb
        return group
    single = typer.Typer(rich_markup_mode=None, add_completion=False)
    single.command(verb, help=VERBS[verb])(module.command)
    return get_command(single)


def show_version(wanted: bool) -> None:
    """Print the version and be done, when asked to."""
    if wanted:
        typer.echo(f"pynomaly {__version__}")
        raise typer.Exit


@app.callback()
def describe(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=show_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
) -> None:
    """Find the unusual rows in a table, and say why each is unusual."""
    del version, debug  # `main` takes --debug out of the arguments, wherever it stands


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code is 0 done, 2 usage, 3 bad input, 130 interrupted, 1 anything else."""
    debug = "--debug" in arguments
    given = [argument for argument in arguments if argument != "--debug"]
    try:
        code = get_group(app).main(given or ["--help"], prog_name="pynomaly", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        return _silence_stdout()
    except SystemExit as error:
        if isinstance(error.__context__, OSError):  # Typer's way of saying that the pipe is broken
            return _silence_stdout()
        raise
    except (KeyboardInterrupt, typer.Abort):
        _complain("interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 the last resort: whatever it is, one line and an exit code
        if debug:
            traceback.print_exc()
        return _explain(error)


def _explain(error: Exception) -> int:
    """Say what went wrong in one line; gives the exit code."""
    if isinstance(error, PynomalyError):
        _complain(error.message)
        return error.exit_code
    if isinstance(error, typer.TyperException):
        _complain(error.format_message() + _help_hint(error))
        return error.exit_code
    if isinstance(error, MemoryError):
        _complain("there is not enough memory for this table; try fewer columns")
        return 1
    _complain(f"{type(error).__name__}: {error} (--debug shows where)")
    return 1


def _help_hint(error: typer.TyperException) -> str:
    """Say where a group's commands are listed, when none was given."""
    context = getattr(error, "ctx", None)
    if context is None or error.format_message() != "Missing command.":
        return ""
    return f" There are: {', '.join(context.command.list_commands(context))}."


def _complain(message: str) -> None:
    line = " ".join(message.split())
    print(f"pynomaly: error: {line}", file=sys.stderr)  # noqa: T201 must not depend on what may have failed


def _silence_stdout() -> int:
    """Let Python flush its closed output to nowhere at exit: the reader has gone, and that is no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 0


def run() -> None:
    """Be the console script."""
    sys.exit(main(sys.argv[1:]))
