"""`pynomaly user create` makes accounts; passwords come from a prompt, a file or standard input."""

import io
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from pynomaly.cli.main import main
from pynomaly.errors import BadCredentials
from pynomaly.server.db import Database
from pynomaly.server.users.service import authenticate
from pynomaly.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of an installation that was never started."""
    monkeypatch.setenv("PYNOMALY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def role(home: Path, email: str) -> str:
    """Log in, and tell the role."""
    database = Database(Settings(home=home))
    try:
        return authenticate(database, email, PASSWORD).role
    finally:
        database.close()


def test_an_account_is_made_before_the_first_start(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nsecond line\n")
    assert main(["user", "create", "Ada@example.org", "--admin", "--password-file", str(file)]) == 0
    assert capsys.readouterr().out == "Made the admin account ada@example.org.\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["user", "create", "bob@example.org", "--role", "viewer", "--password-stdin"]) == 0
    assert (role(home, "ada@example.org"), role(home, "bob@example.org")) == ("admin", "viewer")
    with pytest.raises(BadCredentials):
        role(home, "eve@example.org")


def test_what_cannot_be_an_account_is_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries = [
        (["ada"], PASSWORD, 2, "not an e-mail address"),
        (["ada@example.org"], "short", 2, "12 to 1024 characters"),
        (["ada@example.org", "--role", "root"], PASSWORD, 2, "root"),
        (["ada@example.org", "--password-file", "missing"], "", 2, "cannot be read"),
        ([], "", 2, "Missing argument"),
    ]
    for arguments, password, code, message in tries:
        monkeypatch.setattr(sys, "stdin", io.StringIO(password))
        source = [] if "--password-file" in arguments else ["--password-stdin"]
        assert main(["user", "create", *arguments, *source]) == code
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_an_account_is_made_once(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = []
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD))
        codes.append(main(["user", "create", "ada@example.org", "--password-stdin"]))
    assert codes == [0, 1]
    assert "There is an account for ada@example.org already." in capsys.readouterr().err


def test_without_a_terminal_it_says_how_to_give_the_password(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD))
    assert main(["user", "create", "ada@example.org"]) == 2
    assert "--password-stdin" in capsys.readouterr().err


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(home: Path) -> None:
    ours, theirs = pty.openpty()
    code = "from pynomaly.cli.main import run; run()"
    command = [sys.executable, "-c", code, "user", "create", "ada@example.org"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""
    prompts = [b"Password: ", b"Repeat for confirmation: "]  # with the blank, the echo is off
    while select.select([ours], [], [], 60)[0]:
        try:
            shown += os.read(ours, 1024)
        except OSError:  # the terminal is closed: the command has ended
            break
        if prompts and shown.endswith(prompts[0]):
            prompts.pop(0)
            os.write(ours, f"{PASSWORD}\n".encode())
    os.close(ours)
    assert process.wait(60) == 0, shown
    assert PASSWORD.encode() not in shown
    assert role(home, "ada@example.org") == "user"
