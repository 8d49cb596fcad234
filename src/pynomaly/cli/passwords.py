"""Passwords for verbs: from a file, from standard input, or asked for at the terminal."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pynomaly.errors import BadAccount

PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File whose first line is the password.")
]
PasswordInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def new_password(file: Path | None, from_input: bool) -> str:
    """Get a password that is to be; at the terminal twice."""
    if from_input and file is None:
        return sys.stdin.readline().rstrip("\r\n")
    return password_of(file, new=True)


def password_of(file: Path | None, *, prompt: str = "Password", new: bool = False) -> str:
    """Get a password out of a file, or from the person at the terminal.

    Raises:
        ConfigurationError: the file cannot be read.
        BadAccount: there is no terminal to ask at.
    """
    if file is not None:
        from pynomaly.server.users.first import read_password

        return read_password(file)
    if not sys.stdin.isatty():
        options = "--password-file or --password-stdin" if new else "--login-password-file"
        raise BadAccount(f"There is no terminal to ask for the password: use {options}.")
    answer: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=new)
    return answer
