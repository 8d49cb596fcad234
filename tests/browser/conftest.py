"""Fixtures for the browser tests: one real server for all, a fresh browser profile for each test."""

import csv
import importlib
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
live = importlib.import_module("live")
tour = importlib.import_module("tour")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running `pynomaly serve` with its worker: `.url`, `.email`, `.password`."""
    with live.serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; while it is there its thread counts as running asyncio, so not for a session."""
    with live.browsing() as found:
        if found is None:
            pytest.fail(
                "there is no Chromium: `make test` provides one, else run `playwright install chromium`"
            )
        yield found


@pytest.fixture(scope="module")
def cookies(server: Any, browser: Browser) -> Any:
    """The cookies of one log-in that most tests share."""
    with browser.new_context(base_url=server.url) as context:
        page = context.new_page()
        page.goto("/login")
        live.log_in(page, server)
        return context.storage_state()


@pytest.fixture(scope="session")
def stops(server: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of every page by its name, with data whose names are hostile and long."""
    name = "<b onload=alert(1)>a_long_name_without_any_blank_" * 4
    return {
        one.name: one.address for one in tour.furnish(server, tmp_path_factory.mktemp("tour"), name[:180])
    }


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """A server that nobody has an account on, and its set-up link."""
    home = tmp_path / "fresh"
    home.mkdir()
    with live.serving(home, administrator=False) as running:
        yield running, live.set_up_link(running)


@pytest.fixture
def serving() -> Any:
    """What runs a server of one's own: `with serving(home) as server`."""
    return live.serving


@pytest.fixture
def fill_log_in() -> Any:
    """What fills in the log-in form that a page shows, of a given server."""
    return live.log_in


@pytest.fixture
def log_in(server: Any) -> Callable[[Page], None]:
    """Fill in the log-in form that a page shows."""
    return lambda page: live.log_in(page, server)


@pytest.fixture(scope="session")
def upload() -> Callable[..., None]:
    """Upload a file (`page, path, name, label`), look at what was recognised, and import it."""
    return live.upload  # type: ignore[no-any-return]


@dataclass
class Watch:
    """What a page did that no page of ours may do."""

    address: str
    wrong: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of console messages that the test causes on purpose (a 401 is one)."""

    def attach(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"script error: {error}"))
        page.on("request", self._request)
        page.on("dialog", self._dialog)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in self.expected):
            self.wrong.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:image/svg+xml", "blob:")):
            self.wrong.append(f"external request: {request.url}")

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def open_page(server: Any, browser: Browser, cookies: Any) -> Iterator[Callable[..., Page]]:
    """Open a page in a fresh profile; afterwards nothing that no page may do must have happened.

    Arguments: `js` (scripts on), `logged_in`, `width`, `theme` of the system, `expected` (see Watch).
    """
    watches = []
    contexts = []

    def make(
        *,
        js: bool = True,
        logged_in: bool = True,
        width: int = 1280,
        theme: Literal["light", "dark"] = "light",
        expected: tuple[str, ...] = (),
    ) -> Page:
        context = browser.new_context(
            base_url=server.url,
            java_script_enabled=js,
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            storage_state=cookies if logged_in else None,
        )
        contexts.append(context)
        page = context.new_page()
        watch = Watch(server.url, expected=expected)
        watches.append(watch)
        watch.attach(page)
        return page

    yield make
    for context in contexts:
        context.close()
    assert [wrong for watch in watches for wrong in watch.wrong] == []


@pytest.fixture(scope="session")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 400 payments, of which rows 50, 150 and 250 are absurd; one cell cannot be read."""
    source = random.Random(7)
    path = tmp_path_factory.mktemp("files") / "payments.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["amount", "age", "shop", "is_fraud"])
        for row in range(400):
            odd = row in (50, 150, 250)
            amount = 90_000 + row if odd else round(source.gauss(50, 9), 2)
            age = 300 if odd else round(source.gauss(40, 6), 1)
            shop = source.choice(["books", "food", "shoes"])
            writer.writerow([amount if row != 399 else "n/a??", age, shop, int(odd)])
    return path
