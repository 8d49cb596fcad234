"""Log lines are one JSON object each, in both our own and the libraries' voice, and hold no secrets."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from pynomaly.server.log import CONTROL, configure
from pynomaly.settings import Settings


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Put the tests' own logging back."""
    yield
    configure(Settings(log_level="error"))


def test_ours_and_theirs_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings())
    structlog.get_logger("ours").info("done", rows=3)
    logging.getLogger("theirs").warning("%s left", "two")
    logging.getLogger("uvicorn.error").info("started")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["logger"], line["level"], line["event"]) for line in lines] == [
        ("ours", "info", "done"),
        ("theirs", "warning", "two left"),
        ("uvicorn.error", "info", "started"),
    ]
    assert lines[0]["rows"] == 3
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_the_level_and_the_quiet_ones_count(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_level="warning"))
    structlog.get_logger("ours").info("hidden")
    logging.getLogger("theirs").info("hidden")
    configure(Settings(log_level="debug"))
    logging.getLogger("httpx").info("hidden")
    structlog.get_logger("ours").debug("shown")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["shown"]


def test_secrets_are_masked_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    for style in ("json", "console"):
        configure(Settings(log_format=style))  # type: ignore[arg-type]
        structlog.get_logger("ours").info(
            "event",
            password="hunter2",
            refresh_token="hunter2",
            headers={"Authorization": "hunter2", "Cookie": "hunter2", "Accept": "kept"},
            PYNOMALY_SECRET_KEY="hunter2",
            api_key="hunter2",
        )
        text = capsys.readouterr().err
        assert "hunter2" not in text
        assert "kept" in text


def test_a_traceback_names_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(password: str) -> None:
        raise RuntimeError(f"broken with {len(password)} characters")

    for style in ("json", "console"):
        configure(Settings(log_format=style))  # type: ignore[arg-type]
        try:
            fail("hunter2")
        except RuntimeError:
            structlog.get_logger("ours").exception("failed")
        text = capsys.readouterr().err
        assert "broken with 7 characters" in text
        assert "hunter2" not in text.replace('fail("hunter2")', "").replace('fail(\\"hunter2\\")', "")


@given(text=st.text(), name=st.text(min_size=1))
@given_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_makes_a_second_line(text: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for style in ("json", "console"):
        configure(Settings(log_format=style))  # type: ignore[arg-type]
        structlog.get_logger("ours").info("event", value=text + "\n\x1b[31m\u2028forged", path=name)
        lines = capsys.readouterr().err
        assert lines.count("\n") == 1
        assert lines.endswith("\n")
        assert not CONTROL.search(lines[:-1])
        if style == "json":
            assert json.loads(lines)["value"].startswith(text)


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_path_forges_no_line_and_no_colour(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_format=style))  # type: ignore[arg-type]
    structlog.get_logger("ours").info("event", path='/x\r\n{"event": "forged"}', agent="\x1b[2J\u2028\x85")
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert not CONTROL.search(line[:-1])


def test_a_value_that_is_not_json_is_written_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings())
    structlog.get_logger("ours").info("event", value={1, 2}, when=object)
    assert json.loads(capsys.readouterr().err)["value"] == "{1, 2}"


def test_importing_it_is_light() -> None:
    code = "import sys, pynomaly.server.log; print({'numpy', 'fastapi', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
