"""A real server with a real worker and a real Chromium, for the browser tests and the screenshots."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True)
class Server:
    """Where the server is, and the administrator's log-in."""

    url: str
    email: str
    password: str
    home: Path


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path, administrator: bool = True, port: int = 0) -> Iterator[Server]:
    """Run `pynomaly serve` in `home` until the block ends; without `administrator` it waits to be set up.

    `port` 0 finds a free one; a server that is started again takes that which it had.
    """
    port, email, password = port or free_port(), "admin@example.org", secrets.token_urlsafe(18)
    secret = home / "password"
    secret.touch(0o600)
    secret.write_text(password)
    others = ("PYNOMALY_", "COVERAGE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    environment["PYNOMALY_HOME"] = str(home)
    if administrator:
        environment |= {"PYNOMALY_ADMIN_EMAIL": email, "PYNOMALY_ADMIN_PASSWORD_FILE": str(secret)}
    command = [str(Path(sys.executable).with_name("pynomaly")), "serve", "--port", str(port)]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process, home / "server.log")
        yield Server(url, email, password, home)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def set_up_link(server: Server) -> str:
    """Find the one-time link that a server without an administrator printed."""
    printed = (server.home / "server.log").read_text("utf-8")
    return str(re.findall(r"/setup\?token=[\w-]+", printed)[-1])


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Poll until the server answers; RuntimeError with its log when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"the server did not get ready:\n{log.read_text('utf-8', 'replace')[-4000:]}")


def chromium(playwright: Playwright) -> str | None:
    """Find a Chromium: on the PATH, or else the one that `playwright install chromium` made."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def upload(page: Page, path: Path, name: str = "", label: str = "") -> None:
    """Upload a file, look at what was recognised, and import it; with scripts or without."""
    page.goto("/datasets/new")
    page.get_by_label("File", exact=True).set_input_files(path)
    if (button := page.get_by_role("button", name="Upload", exact=True)).count():
        button.click()
    page.wait_for_url("**/import", timeout=60_000)
    page.locator("#columns-title, .alert-danger").first.wait_for(timeout=60_000)
    if name:
        page.get_by_label("Name", exact=True).fill(name)
    if label:
        page.get_by_label("Label column").select_option(label)
    page.get_by_role("button", name="Import").first.click()
    page.wait_for_url(lambda url: not url.endswith("/import"))


def log_in(page: Page, server: Server) -> None:
    """Fill in the log-in form that `page` shows, and wait for the page after it."""
    page.get_by_label("E-mail address").fill(server.email)
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()
    page.locator(".menu-main").wait_for()


@contextmanager
def browsing() -> Iterator[Browser | None]:
    """Run a headless Chromium with an empty profile; None when there is none on this machine."""
    with sync_playwright() as playwright:
        executable = chromium(playwright)
        if executable is None:
            yield None
            return
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
