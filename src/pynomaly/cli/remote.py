"""What the verbs over the REST API share: which server, as whom, and how its answers are shown."""

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from pynomaly.cli import tables
from pynomaly.cli.passwords import password_of
from pynomaly.cli.present import json_text
from pynomaly.cli.progress import progress_bar
from pynomaly.errors import UsageError

if TYPE_CHECKING:
    from pynomaly.client import Client, Job
    from pynomaly.client.models import Answer
    from pynomaly.library import Progress

P = ParamSpec("P")
Server = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="Default: $PYNOMALY_SERVER, else http://127.0.0.1:8000."),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        metavar="KEY",
        help="Default: $PYNOMALY_API_KEY, which no list of processes shows.",
    ),
]
Login = Annotated[
    str | None, typer.Option("--login", metavar="EMAIL", help="Log in as this person, instead of with a key.")
]
LoginPassword = Annotated[
    Path | None,
    typer.Option("--login-password-file", metavar="PATH", help="File with the password. [default: ask]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="Show at most so many.")]
Timeout = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="Wait no longer; the work goes on.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until it is done.")]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="File to write.")]


class Remote:
    """One verb's connection to its server, and its way to show what comes of it."""

    def __init__(self, client: "Client", as_json: bool) -> None:
        """Ask by `client`."""
        self.client = client
        self.as_json = as_json
        self._progress: Progress | None = None

    def show_all(self, things: "Iterable[Answer]", columns: Mapping[str, str], limit: int) -> None:
        """Print the first things of a list: `columns` are titles by field."""
        shown = list(islice(things, limit + 1))
        if self.as_json:
            typer.echo(json_text([data(thing) for thing in shown[:limit]]))
        else:
            tables.show([thing.model_dump(exclude_unset=True) for thing in shown[:limit]], columns)
        if len(shown) > limit:
            self.note("there are more; --limit shows more")

    def show(self, thing: "Answer", fields: Sequence[str]) -> None:
        """Print one thing: some of its fields or, as JSON, all."""
        if self.as_json:
            typer.echo(json_text(data(thing)))
        else:
            tables.show_one(thing.model_dump(exclude_unset=True), fields)

    def note(self, text: str) -> None:
        """Say something to a person, not to a program."""
        if sys.stderr.isatty():
            typer.echo(f"pynomaly: note: {tables.plain(text)}", err=True)

    def page_size(self, limit: int) -> int:
        """How many to ask for at once, to show so many and know whether there are more."""
        return min(limit + 1, 200)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Show a bar while files are sent and jobs run."""
        with progress_bar() as move:
            self._progress = move
            yield
            self._progress = None

    def on_bytes(self, sent: int, total: int) -> None:
        """Move the bar as a file is sent."""
        if self._progress is not None:
            self._progress(sent / total, "Sending")

    def on_job(self, job: "Job") -> None:
        """Move the bar as a job goes on."""
        if self._progress is not None:
            self._progress(job.progress, tables.plain(job.progress_text or job.status).replace("[", "("))


def data(thing: "Answer") -> dict[str, Any]:
    """An answer as JSON values; its secrets are in it."""
    return thing.model_dump(mode="json", exclude_unset=True)


def confirm(question: str, yes: bool) -> None:
    """Ask a person before what cannot be undone; raises UsageError when there is nobody to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask whether that is meant: add --yes.")
    typer.confirm(question, abort=True, err=True)


def remote(verb: Callable[Concatenate[Remote, P], None]) -> Callable[..., None]:
    """Make a verb over the API: it gets a `Remote` and the options that make one."""

    def command(server: Server = None, api_key: Key = None, as_json: AsJson = False, **given: Any) -> None:
        _run(verb, server, {"api_key": api_key}, as_json, given)

    return _like(verb, command)


def personal(verb: Callable[Concatenate[Remote, P], None]) -> Callable[..., None]:
    """The same for a verb that servers allow, in part, only to a person who has logged in."""

    def command(
        server: Server = None,
        api_key: Key = None,
        login: Login = None,
        login_password_file: LoginPassword = None,
        as_json: AsJson = False,
        **given: Any,
    ) -> None:
        _run(verb, server, _who(api_key, login, login_password_file), as_json, given)

    return _like(verb, command)


def anywhere(verb: Callable[Concatenate[Remote | None, P], None]) -> Callable[..., None]:
    """The same for a verb that works on this machine, with None, when no server is named."""
    here: Callable[..., None] = verb

    def command(
        server: Server = None,
        api_key: Key = None,
        login: Login = None,
        login_password_file: LoginPassword = None,
        as_json: AsJson = False,
        **given: Any,
    ) -> None:
        if any((server, api_key, login, os.environ.get("PYNOMALY_SERVER"))):
            _run(verb, server, _who(api_key, login, login_password_file), as_json, given)
        else:
            here(None, **given)

    return _like(verb, command)


def _who(api_key: str | None, login: str | None, file: Path | None) -> dict[str, Any]:
    if login is None:
        return {"api_key": api_key}
    return {"email": login, "password": password_of(file, prompt=f"Password of {login}")}


def _run(
    verb: Callable[..., None],
    server: str | None,
    who: Mapping[str, Any],
    as_json: bool,
    given: Mapping[str, Any],
) -> None:
    from pynomaly.client import Client

    with Client(server, **who) as client:
        verb(Remote(client, as_json), **given)


def _like(verb: Callable[..., None], command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the verb's own parameters before those of the connection, for Typer to read."""
    _, *own = inspect.signature(verb).parameters.values()
    *connection, _ = inspect.signature(command).parameters.values()
    named = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *connection)]
    command.__name__, command.__doc__ = verb.__name__, verb.__doc__
    command.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in named}
    return command
