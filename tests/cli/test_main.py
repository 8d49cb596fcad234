"""The command itself: help without loading anything, exit codes, one-line errors, tracebacks on request."""

import resource
import subprocess
import sys

import pytest
import typer

from pynomaly import __version__
from pynomaly.cli import main as cli
from pynomaly.cli.main import VERBS, main


def test_help_lists_every_verb(capsys):
    for arguments in ([], ["--help"]):
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert all(f"  {verb} " in out for verb in VERBS)


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pynomaly {__version__}\n"


def test_unknown_verbs_are_usage_errors_with_the_closest_one(capsys):
    assert main(["detekt"]) == 2
    assert "Did you mean 'detect'" in capsys.readouterr().err


def test_help_is_quick_and_loads_nothing():
    code = (
        "import sys; from pynomaly.cli.main import main; main(['--help']);"
        "print([m for m in ('numpy', 'rich', 'duckdb', 'pydantic', 'sqlalchemy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.endswith(
        "[]\n"
    )
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "pynomaly", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.4


@pytest.fixture
def failing(monkeypatch):
    """Make the verb `detect` raise an error."""

    def install(error):
        def command(file: str) -> None:
            """Fail."""
            raise error

        monkeypatch.setattr("pynomaly.cli.detect.command", command)

    return install


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ValueError("two\nlines"), 1, "pynomaly: error: ValueError: two lines (--debug shows where)\n"),
        (MemoryError(), 1, "pynomaly: error: there is not enough memory for this table; try fewer columns\n"),
        (KeyboardInterrupt(), 130, ""),
        (typer.Abort(), 130, "pynomaly: error: interrupted\n"),
        (typer.Exit(7), 7, ""),
    ],
)
def test_every_failure_is_one_line_and_an_exit_code(failing, capsys, error, code, says):
    failing(error)
    assert main(["detect", "x"]) == code
    assert capsys.readouterr().err == says


def test_a_verb_may_exit_by_itself(failing):
    failing(SystemExit(5))
    with pytest.raises(SystemExit, match="5"):
        main(["detect", "x"])


def test_a_traceback_only_with_debug(failing, capsys):
    failing(ValueError("why"))
    assert main(["detect", "x", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert main(["--debug", "detect", "x"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert main(["detect", "x"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_module_with_an_app_is_a_group(monkeypatch):
    group = typer.Typer()
    group.command("only")(lambda: None)
    module = type("Module", (), {"app": group})
    monkeypatch.setattr(cli, "import_module", lambda name: module)
    assert list(cli.load("user").commands) == ["only"]


def test_the_console_script_exits_with_the_code(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["pynomaly", "--bogus"])
    with pytest.raises(SystemExit, match="2"):
        cli.run()


@pytest.mark.parametrize(("group", "first"), [("config", "show"), ("user", "create"), ("db", "upgrade")])
def test_a_group_without_a_command_names_its_commands_in_one_line(capsys, group, first):
    assert main([group]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"pynomaly: error: Missing command. There are: {first}")
    assert told.count("\n") == 1
