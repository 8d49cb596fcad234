"""What goes wrong is said where it went wrong, and nothing that was typed is lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]
UPLOAD = Callable[..., None]
SLOW = 60_000
REFUSED = ("status of 422", "status of 401", "status of 404", "status of 409")


def test_a_wrong_password_is_refused_and_the_address_kept(open_page: OPEN, server: Any) -> None:
    page = open_page(logged_in=False, expected=REFUSED)
    page.goto("/login?next=/datasets")
    page.get_by_label("E-mail address").fill(server.email)
    page.get_by_label("Password").fill("wrong, wrong, wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("E-mail address")).to_have_value(server.email)
    expect(page.get_by_label("Password")).to_have_value("")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/datasets")


@pytest.fixture
def dataset(open_page: OPEN, payments: Path, upload: UPLOAD) -> Page:
    """A page that shows a fresh dataset."""
    page = open_page(expected=REFUSED)
    upload(page, payments)
    page.get_by_role("heading", name="Columns").wait_for(timeout=SLOW)
    return page


def test_wrong_parameters_are_named_and_kept(dataset: Page) -> None:
    page = dataset
    page.get_by_role("link", name="Find anomalies").click()
    page.get_by_text("Choose otherwise").click()
    page.get_by_text("Choose another algorithm").click()
    page.get_by_role("button", name="Isolation forest").click()
    page.get_by_label("Number of trees").fill("77")
    page.get_by_label("Max samples").fill("plenty")
    page.get_by_role("textbox", name="A share of the rows").fill("90")
    page.get_by_label("Bootstrap").check()
    page.get_by_text("Columns to use").first.click()
    page.get_by_label("shop").uncheck()
    page.get_by_role("button", name="Find anomalies in all").click()
    expect(page.get_by_role("alert")).to_contain_text("2 fields below are wrong")
    expect(page.get_by_label("Max samples")).to_have_value("plenty")
    expect(page.get_by_label("Max samples")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("not 'plenty'")).to_be_visible()
    expect(page.get_by_role("radio", name="A share of the rows")).to_be_checked()
    expect(page.get_by_role("textbox", name="A share of the rows")).to_have_value("90")
    expect(page.get_by_role("textbox", name="A share of the rows")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Number of trees")).to_have_value("77")
    expect(page.get_by_label("Bootstrap")).to_be_checked()
    expect(page.get_by_label("shop")).not_to_be_checked()
    page.get_by_label("Max samples").fill("64")
    page.get_by_role("textbox", name="A share of the rows").fill("5")
    page.get_by_role("button", name="Find anomalies in all").click()
    page.get_by_role("heading", name="Most unusual rows").wait_for(timeout=SLOW)
    expect(page.get_by_text("amount, age", exact=False).first).to_be_visible()


def test_leaving_out_every_column_is_refused(dataset: Page) -> None:
    page = dataset
    page.get_by_role("link", name="Find anomalies").click()
    page.get_by_text("Choose otherwise").click()
    page.get_by_text("Columns to use").first.click()
    page.get_by_role("button", name="None", exact=True).click()
    page.get_by_role("button", name="Find anomalies in all").click()
    expect(page.get_by_text("Keep at least one column.")).to_be_visible()


def test_a_file_that_is_no_table_says_why(open_page: OPEN, tmp_path: Path, upload: UPLOAD) -> None:
    page = open_page(expected=REFUSED)
    path = tmp_path / "noise.csv"
    path.write_bytes(bytes(range(256)) * 50)
    upload(page, path)
    page.get_by_role("heading", name="The file could not be loaded").wait_for(timeout=SLOW)
    expect(page.get_by_role("link", name="Upload another file")).to_be_visible()


def test_an_empty_file_is_refused_and_the_name_kept(open_page: OPEN, tmp_path: Path) -> None:
    page = open_page(js=False, expected=REFUSED)
    path = tmp_path / "nothing.csv"
    path.touch()
    page.goto("/datasets/new")
    page.get_by_label("Name").fill("My table")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("empty")
    expect(page.get_by_label("Name")).to_have_value("My table")


def test_a_detection_that_cannot_work_shows_its_reason(
    open_page: OPEN, tmp_path: Path, upload: UPLOAD
) -> None:
    page = open_page(expected=REFUSED)
    path = tmp_path / "same.csv"
    path.write_text("a,b\n" + "1,2\n" * 50)
    upload(page, path)
    page.get_by_role("heading", name="Columns").wait_for(timeout=SLOW)
    page.get_by_role("link", name="Find anomalies").click()
    page.get_by_role("button", name="Find anomalies").click()
    expect(page.get_by_role("alert")).to_contain_text("no column that detection can use")


def test_a_detector_without_a_name_is_refused_and_the_rest_kept(open_page: OPEN) -> None:
    page = open_page(expected=REFUSED)
    page.goto("/detectors/new?algorithm=isolation_forest")
    page.get_by_label("Name").fill("   ")
    page.get_by_label("Number of trees").fill("55")
    page.get_by_role("button", name="Make the detector").click()
    expect(page.get_by_role("alert")).to_contain_text("name")
    expect(page.get_by_label("Number of trees")).to_have_value("55")


def test_training_on_a_table_without_its_columns_is_refused(dataset: Page) -> None:
    page = dataset
    page.goto("/detectors/new")
    page.get_by_label("Name").fill("Elsewhere")
    page.get_by_label("Columns").fill("no such column")
    page.get_by_role("button", name="Make the detector").click()
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_role("alert")).to_contain_text("no such column")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/nowhere", "Not Found"),
        ("/datasets/00000000-0000-0000-0000-000000000000", "Not Found"),
        ("/detections/new?dataset=x", "Not Found"),
        ("/detectors/new?algorithm=isolation_tree", "isolation_forest"),
        ("/datasets?cursor=nonsense", "cursor"),
    ],
)
def test_error_pages_say_what_is_wrong(open_page: OPEN, address: str, words: str) -> None:
    page = open_page(expected=REFUSED)
    page.goto(address)
    expect(page.locator("main")).to_contain_text(words)
    expect(page.get_by_role("link", name="Go to the start page")).to_be_visible()
