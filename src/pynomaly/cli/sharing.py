"""Verbs that datasets and detectors have in common: who else may see or use them."""

from typing import Annotated, Literal

import typer

from pynomaly.cli.remote import Limit, Remote, remote
from pynomaly.errors import UsageError

Id = Annotated[str, typer.Argument(metavar="ID", help="Its identifier.")]
Email = Annotated[str | None, typer.Option("--with", metavar="EMAIL", help="Who gets it.")]
UserId = Annotated[str | None, typer.Option(metavar="ID", help="The same, by the account's identifier.")]
Everyone = Annotated[bool, typer.Option("--everyone", help="Everyone with an account.")]
Access = Annotated[Literal["view", "use"], typer.Option(help="use: also train on it, or detect with it.")]
COLUMNS = {
    "user_id": "user id",
    "email": "e-mail",
    "name": "name",
    "everyone": "everyone",
    "access": "access",
}


def install(app: typer.Typer, kind: Literal["datasets", "detectors"]) -> None:
    """Add `shares`, `share` and `unshare` to a group of verbs."""

    @app.command()
    @remote
    def shares(remote: Remote, id: Id, limit: Limit = 50) -> None:  # noqa: A002
        """List who else may see or use it."""
        found = getattr(remote.client, kind).shares(id, page_size=remote.page_size(limit))
        remote.show_all(found, COLUMNS, limit)

    @app.command()
    @remote
    def share(
        remote: Remote,
        id: Id,  # noqa: A002
        email: Email = None,
        user_id: UserId = None,
        everyone: Everyone = False,
        access: Access = "view",
    ) -> None:
        """Let somebody, or everyone, view it, or use it too."""
        if sum((email is not None, user_id is not None, everyone)) != 1:
            raise UsageError("Say who gets it: --with EMAIL, --user-id ID or --everyone.")
        given = getattr(remote.client, kind).share(
            id, email=email, user_id=user_id, everyone=everyone, access=access
        )
        remote.show(given, list(COLUMNS))

    @app.command()
    @remote
    def unshare(
        remote: Remote,
        id: Id,  # noqa: A002
        user_id: UserId = None,
        everyone: Everyone = False,
    ) -> None:
        """Take it back from somebody, or from everyone."""
        if (user_id is not None) == everyone:
            raise UsageError("Say from whom: --user-id ID (`shares` lists them) or --everyone.")
        getattr(remote.client, kind).unshare(id, user_id=user_id, everyone=everyone)
        remote.note(f"took {id} back")
