"""`pynomaly db`: tells the schema's version and brings it up to date."""

from typer.testing import CliRunner

from pynomaly.cli.db import app
from pynomaly.server.jobs.supervisor import environment
from pynomaly.server.migrate import revisions
from pynomaly.settings import Settings


def run(verb: str, settings: Settings) -> str:
    result = CliRunner(env=environment(settings)).invoke(app, [verb])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_upgrade_and_current(empty_settings: Settings) -> None:
    newest = revisions()[-1]
    assert run("current", empty_settings) == f"none (this program needs {newest})"
    assert run("upgrade", empty_settings) == f"The schema is now {newest}; it was not there."
    assert run("upgrade", empty_settings) == f"The schema is up to date: {newest}."
    assert run("current", empty_settings) == f"{newest} (up to date)"


def test_help_lists_the_verbs() -> None:
    output = CliRunner().invoke(app, ["--help"]).output
    assert "upgrade" in output
    assert "current" in output
