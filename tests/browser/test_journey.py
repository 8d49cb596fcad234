"""The whole way through the browser, with scripts on and off: log in, upload, detect, read, export."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]
UPLOAD = Callable[..., None]
SLOW = 60_000
"""Milliseconds that a job may take on a busy machine."""


def choose(page: Page, title: str) -> None:
    """Choose an algorithm; then it is the one that is shown, and the others are folded away."""
    page.get_by_text("Choose another algorithm").click()
    page.get_by_role("link", name=title).click()
    chosen = page.get_by_role("navigation", name="Chosen algorithm").get_by_role("link")
    expect(chosen).to_have_count(1)
    expect(chosen).to_contain_text(title)
    expect(page.get_by_role("navigation", name="Other algorithms")).to_be_hidden()


def detect(page: Page) -> None:
    """From a dataset's page, detect with the default settings and wait for the result."""
    page.get_by_role("link", name="Find anomalies").click()
    page.get_by_role("button", name="Find anomalies").click()
    page.get_by_role("heading", name="Most unusual rows").wait_for(timeout=SLOW)


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no-scripts"])
def test_from_log_in_to_export(
    open_page: OPEN, log_in: Callable[[Page], None], upload: UPLOAD, payments: Path, js: bool
) -> None:
    page = open_page(js=js, logged_in=False)
    page.goto("/")
    log_in(page)
    upload(page, payments, "Card payments", "is_fraud")
    page.get_by_role("heading", name="Columns").wait_for(timeout=SLOW)
    expect(page.get_by_role("heading", level=1)).to_have_text("Card payments")
    expect(page.get_by_text("1 cell could not be read")).to_be_visible()

    page.get_by_role("link", name="Find anomalies").click()
    page.get_by_text("Choose otherwise").click()
    for name in ("Local outlier factor", "Isolation forest"):
        page.get_by_text("Choose another algorithm").click()
        page.get_by_role("button", name=name).click()
        expect(page.get_by_label("Number of")).to_have_value({"L": "20", "I": "100"}[name[0]])
    page.get_by_label("Number of trees").fill("60")
    page.get_by_role("radio", name="About so many rows").check()
    page.get_by_role("textbox", name="About so many rows").fill("3")
    page.get_by_role("button", name="Find anomalies in all").click()
    page.get_by_role("heading", name="Most unusual rows").wait_for(timeout=SLOW)

    expect(page.get_by_text("3 of 399 rows")).to_be_visible()
    expect(page.get_by_text("area under the ROC curve 1")).to_be_visible()
    expect(page.get_by_role("img", name="How many rows")).to_have_count(1)
    first_rows = page.locator(".cases h3").all_inner_texts()
    assert set(first_rows[:3]) == {"Row 50", "Row 150", "Row 250"}
    assert "amount" in page.locator(".cases > li").first.locator(".reasons-table").inner_text()
    assert len(first_rows) == 10

    page.get_by_role("link", name="Next rows").click()
    expect(page.get_by_role("link", name="Previous rows")).to_be_visible()
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Sort by").select_option("row number")
    page.get_by_role("button", name="Show these rows").click()
    expect(page.locator(".cases h3").first).to_have_text("Row 0")

    assert_exports(page)


def assert_exports(page: Page) -> None:
    """All three exports come as files with all rows."""
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").last.click()
    rows = list(csv.DictReader(started.value.path().read_text("utf-8").splitlines()))
    assert len(rows) == 399
    assert {rows[place]["row"] for place in range(3)} == {"50", "150", "250"}
    with page.expect_download() as started:
        page.get_by_role("link", name="JSON").last.click()
    assert len(json.loads(started.value.path().read_bytes())) == 399
    with page.expect_download() as started:
        page.get_by_role("link", name="Parquet").last.click()
    assert started.value.path().read_bytes()[:4] == b"PAR1"


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no-scripts"])
def test_a_detector_is_made_changed_trained_and_used(
    open_page: OPEN, upload: UPLOAD, payments: Path, js: bool
) -> None:
    page = open_page(js=js)
    upload(page, payments, "For training")
    page.get_by_role("heading", name="Columns").wait_for(timeout=SLOW)
    page.get_by_role("link", name="Detectors").click()
    page.get_by_role("link", name="Make a detector").first.click()
    choose(page, "Elliptic envelope")
    page.get_by_label("Name").fill("Watchdog")
    page.get_by_label("Columns").fill("amount\nage")
    page.get_by_role("button", name="Make the detector").click()
    expect(page.get_by_text("not trained")).to_be_visible()

    page.get_by_role("link", name="Change").click()
    page.get_by_label("Name").fill("Watchdog 2")
    page.get_by_label("Assume centered").check()
    page.get_by_label("Assume centered").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Watchdog 2")

    page.get_by_label("Dataset").select_option("For training")
    page.get_by_role("button", name="Train").click()
    page.get_by_role("heading", name="Trained version 1").wait_for(timeout=SLOW)
    page.get_by_role("link", name="Find anomalies with it").click()
    page.get_by_role("link", name="For training").first.click()
    expect(page.get_by_text("With detector “Watchdog 2”")).to_be_visible()
    page.get_by_role("button", name="Find anomalies").click()
    page.get_by_role("heading", name="Most unusual rows").wait_for(timeout=SLOW)
    expect(page.get_by_role("link", name="Detector “Watchdog 2”")).to_be_visible()


def test_home_leads_to_recent_results(open_page: OPEN, upload: UPLOAD, payments: Path) -> None:
    page = open_page()
    upload(page, payments, "Seen at home")
    page.get_by_role("heading", name="Columns").wait_for(timeout=SLOW)
    detect(page)
    page.get_by_role("link", name="Home", exact=True).click()
    page.get_by_role("region", name="Results").get_by_role("link", name="Seen at home").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anomalies in Seen at home")


def test_rows_of_a_dataset_page_on(open_page: OPEN, upload: UPLOAD, payments: Path) -> None:
    page = open_page()
    upload(page, payments)
    page.get_by_role("heading", name="Columns").wait_for(timeout=SLOW)
    page.get_by_role("link", name="Rows", exact=True).click()
    expect(page.get_by_text("Rows 0 to 49")).to_be_visible()
    page.get_by_role("link", name="Next rows").click()
    expect(page.get_by_text("Rows 50 to 99")).to_be_visible()
    expect(page.get_by_role("cell", name="90050")).to_be_visible()


def test_log_out_ends_the_session(open_page: OPEN, log_in: Callable[[Page], None]) -> None:
    page = open_page(logged_in=False)
    page.goto("/login")
    log_in(page)
    page.get_by_role("button", name="Log out").click()
    page.goto("/datasets")
    assert "/login?next=%2Fdatasets" in page.url


def test_log_in_leads_back_to_the_page_that_was_asked_for(
    open_page: OPEN, log_in: Callable[[Page], None]
) -> None:
    page = open_page(logged_in=False)
    page.goto("/detectors?from=mail")
    log_in(page)
    page.wait_for_url("**/detectors?from=mail")
