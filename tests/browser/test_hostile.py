"""Names, cells and values that come from data are shown as they are and never run."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]
UPLOAD = Callable[..., None]
SLOW = 60_000
SCRIPT = "<script>alert('run')</script>"
IMAGE = "<img src=x onerror=alert(1)>"
BREAKOUT = "\"'></script><svg onload=alert(2)>{{7*7}}"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A table whose file name, column names and cells are attacks."""
    path = tmp_path / f"{IMAGE} table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([SCRIPT, BREAKOUT, IMAGE])
        for row in range(200):
            writer.writerow([row % 7 if row else 9_000, (IMAGE, SCRIPT, BREAKOUT)[row % 3], row % 11])
    return path


def assert_inert(page: Page) -> None:
    """Nothing of the attacks became an element."""
    assert page.locator("img").count() == 0
    assert page.locator("script:not([src]):not([type='application/json'])").count() == 0
    assert page.locator("[onload], [onerror]").count() == 0
    assert "49" not in page.locator("h1").inner_text()


def test_payloads_stay_text_on_every_page(open_page: OPEN, hostile: Path, upload: UPLOAD) -> None:
    page = open_page()
    upload(page, hostile, BREAKOUT)
    page.get_by_role("heading", name="Columns").wait_for(timeout=SLOW)
    expect(page.get_by_role("heading", level=1)).to_have_text(BREAKOUT)
    expect(page.get_by_role("rowheader", name=SCRIPT)).to_be_visible()
    assert_inert(page)
    dataset = page.url

    page.goto(f"{dataset}/rows")
    expect(page.get_by_role("cell", name=IMAGE, exact=True).first).to_be_visible()
    assert_inert(page)

    page.goto("/detectors/new")
    page.get_by_label("Name").fill(SCRIPT)
    page.get_by_label("Columns").fill(f"{SCRIPT}\n{BREAKOUT}")
    page.get_by_role("button", name="Make the detector").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
    assert_inert(page)

    page.get_by_role("link", name="Find anomalies with it").click()
    page.get_by_role("link", name=BREAKOUT).first.click()
    assert_inert(page)
    page.get_by_role("button", name="Find anomalies").click()
    page.get_by_role("heading", name="Most unusual rows").wait_for(timeout=SLOW)
    expect(page.locator(".cases > li").first).to_contain_text(SCRIPT)
    page.locator(".cases details summary").first.click()
    assert_inert(page)
    for address in ("/", "/datasets", "/detections", "/detectors", "/detections/new"):
        page.goto(address)
        assert_inert(page)
