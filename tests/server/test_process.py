"""Work in a process of its own: its limits, its errors, and what it is not told."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pynomaly.errors import BadBundle, Busy, Killed, OutOfMemory, PynomalyError, TimedOut
from pynomaly.server import process

HERE = Path(__file__)


def ask(name: str, timeout_seconds: float = 30, **payload: Any) -> dict[str, Any]:
    """Run one of the functions of `process_samples.py`."""
    return process.run(f"process_samples:{name}", payload, memory_mib=300, timeout_seconds=timeout_seconds)


@pytest.fixture(autouse=True)
def _findable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions are beside this file."""
    found = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(found))


def test_a_result_and_what_is_printed_on_the_way() -> None:
    assert ask("echo", value=[1, "é", None]) == {"given": {"value": [1, "é", None]}}


def test_no_setting_and_no_secret_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYNOMALY_SECRET_KEY", "canary" * 10)
    monkeypatch.setenv("PYNOMALY_DATABASE_URL", "postgresql://canary")
    names = ask("environment")["names"]
    assert "PATH" in names
    assert not [name for name in names if name.startswith("PYNOMALY_")]


def test_how_it_can_end() -> None:
    with pytest.raises(BadBundle, match="says why"):
        ask("refuse")
    with pytest.raises(OutOfMemory):
        ask("allocate")
    with pytest.raises(Killed):
        ask("crash")
    with pytest.raises(TimedOut):
        ask("sleep", timeout_seconds=1)
    with pytest.raises(PynomalyError, match="ZeroDivisionError"):
        ask("divide")


def test_two_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "WAIT_SECONDS", 0.2)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(ask, "sleep", 2.5) for _ in range(process.AT_ONCE)]
        time.sleep(0.5)
        with pytest.raises(Busy) as caught:
            ask("echo")
        assert caught.value.details == {"retry_after": 10}
        for one in running:
            assert isinstance(one.exception(), TimedOut)
    assert ask("echo") == {"given": {}}
