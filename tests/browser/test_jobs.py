"""Watching a job and stopping it, and the page that makes the first administrator."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]
UPLOAD = Callable[..., None]
SLOW = 60_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV whose local outlier factors take many seconds."""
    source = random.Random(1)
    path = tmp_path_factory.mktemp("large") / "large.csv"
    names = ",".join(f"c{number}" for number in range(12))
    rows = (",".join(f"{source.gauss(0, 1):.3f}" for _ in range(12)) for _ in range(40_000))
    path.write_text("\n".join([names, *rows]))
    return path


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no-scripts"])
def test_a_running_job_is_watched_and_cancelled(
    open_page: OPEN, large: Path, js: bool, upload: UPLOAD
) -> None:
    page = open_page(js=js)
    upload(page, large)
    page.get_by_role("link", name="Find anomalies").click(timeout=SLOW)
    page.get_by_text("Choose otherwise").click()
    page.get_by_text("Choose another algorithm").click()
    page.get_by_role("button", name="Local outlier factor").click()
    page.get_by_label("Number of neighbors").fill("300")
    page.get_by_role("button", name="Find anomalies in all").click()
    expect(page.get_by_role("progressbar", name="Looking for anomalies")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(
        re.compile("train|score|read|neighbour|fit", re.IGNORECASE)
    )
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("link", name="Start again")).to_be_visible()


def test_a_job_is_followed_over_one_socket_and_without_one(
    open_page: OPEN, large: Path, upload: UPLOAD
) -> None:
    """The page asks for nothing while the socket tells; when there is none it asks by itself."""
    for socket in (True, False):
        page = open_page(expected=("WebSocket",))
        if not socket:
            page.add_init_script(
                "WebSocket = class extends EventTarget { constructor() { super(); "
                "setTimeout(() => this.dispatchEvent(new CloseEvent('close', {code: 1006}))); } };"
            )
        sockets: list[str] = []
        asked: list[str] = []
        page.on("websocket", lambda opened, sockets=sockets: sockets.append(opened.url))
        page.on("request", lambda sent, asked=asked: asked.append(sent.url))
        upload(page, large)
        page.get_by_role("link", name="Find anomalies").wait_for(timeout=SLOW)
        polled = [url for url in asked if "/api/v1/jobs/" in url]
        assert (len(sockets) in (1, 2), polled == []) == (socket, socket)  # of two pages
