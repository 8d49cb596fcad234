"""`pynomaly user`: look after user accounts: a server's or, to make the first one, this machine's."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pynomaly.cli.passwords import PasswordFile, PasswordInput, new_password
from pynomaly.cli.remote import Limit, Remote, Yes, anywhere, confirm, personal
from pynomaly.errors import UsageError

if TYPE_CHECKING:
    from pynomaly.server.users.models import User

app = typer.Typer(help="Look after user accounts.", add_completion=False)
Role = Literal["admin", "user", "viewer"]
Id = Annotated[str, typer.Argument(metavar="ID", help="The account's identifier.")]
RoleOption = Annotated[Role, typer.Option("--role", help="What the person may do.")]
AdminFlag = Annotated[bool, typer.Option("--admin", help="The same as --role admin.")]
LINE = {
    "id": "id",
    "email": "e-mail",
    "name": "name",
    "role": "role",
    "active": "active",
    "created_at": "made",
}
ABOUT = tuple(LINE)


@app.callback()
def describe() -> None:
    """Look after user accounts."""


@app.command()
@anywhere
def create(
    remote: Remote | None,
    email: Annotated[str, typer.Argument(help="E-mail address, which is the log-in name.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    role: RoleOption = "user",
    admin: AdminFlag = False,
    password_file: PasswordFile = None,
    password_stdin: PasswordInput = False,
) -> None:
    """Make an account: on a server when one is named, else in the database of this machine.

    The password is asked for when no option gives it.
    """
    password = new_password(password_file, password_stdin)
    wanted: Role = "admin" if admin else role
    if remote is not None:
        remote.show(remote.client.users.create(email, password, name=name, role=wanted), ABOUT)
        return
    user = _make_here(email, password, name, wanted)
    typer.echo(f"Made the {user.role} account {user.email}.")


@app.command("list")
@personal
def list_(
    remote: Remote,
    role: Annotated[Role | None, typer.Option(help="Only such.")] = None,
    search: Annotated[str | None, typer.Option(help="A part of the e-mail address or name.")] = None,
    limit: Limit = 50,
) -> None:
    """List accounts."""
    found = remote.client.users.list(role=role, search=search, page_size=remote.page_size(limit))
    remote.show_all(found, LINE, limit)


@app.command()
@personal
def show(remote: Remote, id: Id) -> None:  # noqa: A002
    """Look at one account."""
    remote.show(remote.client.users.get(id), ABOUT)


@app.command()
@personal
def update(
    remote: Remote,
    id: Id,  # noqa: A002
    name: Annotated[str | None, typer.Option(help="The person's name.")] = None,
    role: Annotated[Role | None, typer.Option(help="What the person may do.")] = None,
    active: Annotated[bool | None, typer.Option(help="Whether anybody gets in with it.")] = None,
) -> None:
    """Change an account's name or role, lock or unlock it."""
    given: dict[str, Any] = {"name": name, "role": role, "active": active}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise UsageError("Say what is to be changed: --name, --role, --active or --no-active.")
    remote.show(remote.client.users.update(id, **changes), ABOUT)


@app.command()
@personal
def delete(
    remote: Remote,
    id: Id,  # noqa: A002
    transfer_to: Annotated[
        str | None, typer.Option(metavar="ID", help="Who gets what the account owns.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Delete an account."""
    confirm(f"Delete the account {id}?", yes)
    remote.client.users.delete(id, transfer_to=transfer_to)
    remote.note(f"deleted {id}")


@app.command("reset-password")
@personal
def reset_password(remote: Remote, id: Id) -> None:  # noqa: A002
    """Make a link by which the person chooses a new password, once."""
    remote.show(remote.client.users.reset_password(id), ("url", "expires_at"))


def _make_here(email: str, password: str, name: str, role: Role) -> "User":
    from pynomaly.server.db import Database
    from pynomaly.server.migrate import upgrade
    from pynomaly.server.users.service import create_user
    from pynomaly.settings import load

    settings = load()
    upgrade(settings)
    database = Database(settings)
    try:
        with database.session() as session:
            return create_user(session, email, password, name=name, role=role)
    finally:
        database.close()
