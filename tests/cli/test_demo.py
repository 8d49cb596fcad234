"""The demo as a user meets it: what it prints, the login that it makes, and that it leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pynomaly.cli.demo import _folder

SECONDS = 60


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run the demo with `folder` for temporary files; give it with all that it prints until it is ready."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYNOMALY_")}
    command = [sys.executable, "-m", "pynomaly", "demo", *options]
    with subprocess.Popen(
        command,
        env=environment | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, read_until(process, "Ctrl-C")
        finally:
            process.terminate()


def read_until(process: "subprocess.Popen[str]", word: str) -> str:
    """Read standard output up to the line with a word; a demo that hangs is killed, which ends its output."""
    printed = ""
    assert process.stdout is not None
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    while word not in printed and (line := process.stdout.readline()):
        printed += line
    watchdog.cancel()
    assert word in printed
    return printed


def said(printed: str, label: str) -> str:
    """Find what the demo says of its address or login."""
    found = re.search(rf"^  {label} +(\S+)$", printed, re.MULTILINE)
    assert found is not None, printed
    return found[1]


def test_a_table_is_explained_and_served_to_the_login(tmp_path: Path) -> None:
    """The port that is asked for is in use: it takes another one. Only the folder that is named stays."""
    home = tmp_path / "kept"
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        demo(tmp_path, "--port", str(taken.getsockname()[1]), "--home", str(home)) as (process, printed),
    ):
        assert " by auto, score above " in printed
        assert "AUC ROC 0.9" in printed
        address = httpx.URL(said(printed, "Open"))
        assert address.port != taken.getsockname()[1]
        with httpx.Client(base_url=address.copy_with(path="/"), follow_redirects=True) as browser:
            login = {"email": said(printed, "E-mail"), "password": said(printed, "Password")}
            origin = {"Origin": str(address.copy_with(path="")).rstrip("/")}
            assert browser.post("/login", data=login, headers=origin).status_code == 200
            page = browser.get(address.path)
            assert page.status_code == 200
            assert "Card payments" in page.text
        process.send_signal(signal.SIGINT)  # Ctrl-C
        assert process.wait(SECONDS) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert list(tmp_path.iterdir()) == [home]
    assert (home / "payments.csv").exists()
    assert not list(home.glob("*/password"))


def test_a_folder_that_is_named_stays(tmp_path: Path) -> None:
    home = tmp_path / "new" / "kept"
    with _folder(home) as named, _folder(None) as temporary:
        (named / "payments.csv").touch()
        (temporary / "payments.csv").touch()
    assert (home / "payments.csv").exists()
    assert not temporary.exists()


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_bad_port_is_a_usage_error(port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pynomaly", "demo", "--port", port],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
