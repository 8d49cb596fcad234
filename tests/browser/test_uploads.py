"""Uploads in the browser: several files, what cannot be one, lost connections, reloads, an ended session."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]
SLOW = 60_000
LOST = ("Failed to load resource", "ERR_", "WebSocket")
PARTS = "**/api/v1/datasets/uploads/*"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of three parts."""
    path = tmp_path_factory.mktemp("large") / "<script>alert(1)</script>".replace("/", "-")
    path.write_text("a,b\n" + "".join(f"{row},{row % 97}.25\n" for row in range(1_500_000)))
    assert path.stat().st_size > 17_000_000
    return path


def choose(page: Page, *paths: Path) -> None:
    """Choose files."""
    page.get_by_label("File", exact=True).set_input_files(paths)


def test_several_files_and_those_that_are_none(open_page: OPEN, tmp_path: Path) -> None:
    page = open_page()
    good, other, empty, huge = (
        tmp_path / name for name in ("good.csv", "other.csv", "empty.csv", "huge.csv")
    )
    good.write_text("a,b\n" + "1,2\n3,4\n" * 20)
    other.write_text("c,d\n" + "1,2\n3,4\n" * 20)
    empty.touch()
    with huge.open("wb") as file:
        file.truncate(5 * 1024**3)
    page.goto("/datasets/new")
    choose(page, good, empty, huge, other)
    expect(page.locator(".send-text", has_text="This file is empty (0 bytes)")).to_be_visible()
    expect(page.locator(".send-text", has_text="This file has 5.37 GB; an upload has")).to_be_visible()
    expect(page.locator(".send-text", has_text="Uploaded.")).to_have_count(2)
    page.get_by_role("button", name="Import all as detected").click()
    page.wait_for_url("**/datasets")
    expect(page.get_by_role("link", name="other", exact=True)).to_be_visible()


def test_a_cut_connection_and_an_ended_session(open_page: OPEN, large: Path) -> None:
    """Two parts are cut, then one is refused as if nobody were logged in: it goes on from where it was."""
    page = open_page(expected=(*LOST, "401"))
    seen: list[int] = []

    def disturb(route: Route) -> None:
        if route.request.method != "PATCH":
            return route.continue_()
        seen.append(int(route.request.headers["upload-offset"]))
        if len(seen) in (2, 3):
            return route.abort("connectionreset")
        if len(seen) == 4:
            return route.fulfill(status=401, json={"detail": "Log in."})
        return route.continue_()

    page.route(PARTS, disturb)
    page.goto("/datasets/new")
    choose(page, large)
    expect(page.locator(".send-text", has_text="The connection is lost")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("link", name="Log in (new tab)")).to_be_visible(timeout=SLOW)
    page.wait_for_url("**/import", timeout=SLOW)
    assert seen == [0, *[8 * 1024**2] * 4, 16 * 1024**2]
    expect(page.get_by_role("heading", name="2 columns")).to_be_visible(timeout=SLOW)


def test_a_reload_goes_on_where_it_was(open_page: OPEN, large: Path) -> None:
    page = open_page(expected=LOST)

    def cut(route: Route) -> None:
        if route.request.headers.get("upload-offset") not in (None, "0"):
            return route.abort()
        return route.continue_()

    page.route(PARTS, cut)
    page.goto("/datasets/new")
    choose(page, large)
    expect(page.locator(".send-text", has_text="The connection is lost")).to_be_visible(timeout=SLOW)
    page.unroute(PARTS)
    page.reload()
    expect(page.get_by_text(re.compile("Interrupted at 4.*%"))).to_be_visible()
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.headers.get("upload-offset", one.method)))
    choose(page, large)
    page.wait_for_url("**/import", timeout=SLOW)
    assert "0" not in sent
    assert "POST" not in sent
    assert str(8 * 1024**2) in sent


def test_a_dropped_folder_is_told(open_page: OPEN) -> None:
    page = open_page()
    page.goto("/datasets/new")
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["a,b\\n1,2\\n2,3\\n"], "dropped.csv"));
            const entry = { isDirectory: true, name: "my folder" };
            const folder = { kind: "file", webkitGetAsEntry: () => entry, getAsFile: () => null };
            const items = [folder, ...data.items];
            const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
            Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items } });
            document.body.dispatchEvent(event);
        }"""
    )
    expect(page.locator(".send-text", has_text="This is a folder.")).to_be_visible()
    expect(page.get_by_role("link", name="Look and import")).to_be_visible()
