"""`pynomaly user`: look after user accounts."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pynomaly.errors import BadAccount
from pynomaly.server.db import Database
from pynomaly.server.migrate import upgrade
from pynomaly.server.users.first import read_password
from pynomaly.server.users.permissions import Role
from pynomaly.server.users.service import create_user
from pynomaly.settings import load

app = typer.Typer(help="Look after user accounts.", add_completion=False)
RoleOption = Annotated[Role, typer.Option("--role", help="What the person may do.")]
AdminFlag = Annotated[bool, typer.Option("--admin", help="The same as --role admin.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File whose first line is the password.")
]
PasswordInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.callback()
def describe() -> None:
    """Look after user accounts."""


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="E-mail address, which is the log-in name.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    role: RoleOption = "user",
    admin: AdminFlag = False,
    password_file: PasswordFile = None,
    password_stdin: PasswordInput = False,
) -> None:
    """Make an account; the password is asked for when no option gives it."""
    settings = load()
    password = _password(password_file, password_stdin)
    upgrade(settings)
    database = Database(settings)
    try:
        with database.session() as session:
            user = create_user(session, email, password, name=name, role="admin" if admin else role)
    finally:
        database.close()
    typer.echo(f"Made the {user.role} account {user.email}.")


def _password(file: Path | None, from_input: bool) -> str:
    if file is not None:
        return read_password(file)
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise BadAccount(
            "There is no terminal to ask for the password: use --password-file or --password-stdin."
        )
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer
