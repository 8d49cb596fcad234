"""The page of a result in a browser: the threshold is dragged, charts tell of rows; without scripts, too."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pynomaly.client import Client

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def results(server: Any, payments: Path) -> dict[str, str]:
    """Results to move thresholds in, by the test that does."""
    with Client(server.url, email=server.email, password=server.password) as client:
        dataset = client.datasets.upload(payments, name="Dragged", label_column="is_fraud")
        made = {
            name: client.detections.detect(dataset, algorithm="hbos", contamination=0.02)
            for name in ("keys", "pointer", "bare")
        }
    return {name: f"/detections/{one.id}" for name, one in made.items()}


def count(page: Page) -> int:
    """The rows that stand out, as the slider says."""
    told = page.get_by_role("slider", name="Threshold").get_attribute("aria-valuetext") or ""
    found = re.search(r": ([\d,]+) of 399", told)
    assert found, told
    return int(found[1].replace(",", ""))


def test_the_threshold_moves_by_keys_and_is_saved(
    open_page: Callable[..., Page], results: dict[str, str]
) -> None:
    """Each key moves it, the count follows at once and then exactly; Escape goes back; saving keeps it."""
    page = open_page()
    page.goto(results["keys"])
    slider = page.get_by_role("slider", name="Threshold")
    before = count(page)
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_hidden()
    slider.focus()
    page.keyboard.press("End")
    assert count(page) == 0
    page.keyboard.press("Escape")
    assert count(page) == before
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_hidden()
    with page.expect_response(lambda reply: "/threshold?threshold=" in reply.url) as told:
        page.keyboard.press("PageDown")
        page.keyboard.press("PageDown")
    exact = told.value.json()["n_anomalies"]
    assert exact > before
    expect(slider).to_have_attribute("aria-valuetext", re.compile(f": {exact} of 399"))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-answer]")).to_contain_text(f"{exact} of 399 rows")
    page.get_by_role("button", name="As the run had it").click()
    expect(page.locator("[data-answer]")).to_contain_text(f"{before} of 399 rows")


def test_the_threshold_is_dragged(open_page: Callable[..., Page], results: dict[str, str]) -> None:
    """To the far left all rows stand out; bars and the number follow."""
    page = open_page()
    page.goto(results["pointer"])
    slider = page.get_by_role("slider", name="Threshold")
    box = slider.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 2000, box["y"] + 10, steps=4)
    page.mouse.up()
    assert count(page) > 390
    assert page.locator("[data-threshold-frame] rect.bar:not(.bar-anomaly)").count() == 0
    low = float(slider.get_attribute("aria-valuemin") or "nan")
    assert float(page.get_by_label("Threshold", exact=True).last.input_value()) == pytest.approx(
        low, abs=0.01
    )
    page.get_by_role("button", name="Undo", exact=True).click()
    assert count(page) < 50


def test_a_chart_tells_of_the_row_under_the_pointer(
    open_page: Callable[..., Page], results: dict[str, str]
) -> None:
    page = open_page()
    page.goto(f"{results['pointer']}?chart=columns&x=amount&y=age")
    page.locator("[data-chart=scatter] use.mark").last.hover(force=True)
    expect(page.locator("[data-chart=scatter] [data-tip]")).to_have_text(re.compile(r"Row \d+: score [\d.]+"))


def test_without_scripts_it_is_tried_and_saved(
    open_page: Callable[..., Page], results: dict[str, str]
) -> None:
    """The form alone: a budget is tried, seen, and saved; filters and charts are links and forms."""
    page = open_page(js=False)
    page.goto(f"{results['bare']}?chart=labels")
    page.get_by_label("or: rows at most").fill("3")
    page.get_by_role("button", name="Try").click()
    expect(page.locator(".trial")).to_contain_text("flags 3 rows")
    expect(page.locator("#picture-title")).to_have_text("Against the labels")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-answer]")).to_contain_text("3 of 399 rows")
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Show", exact=True).select_option("anomalies")
    page.get_by_role("button", name="Show these rows").click()
    expect(page.locator("#rows-title")).to_have_text("3 rows")
    page.get_by_role("group", name="Your verdict on row 50").get_by_role("button", name="Anomaly").click()
    chosen = page.get_by_role("group", name="Your verdict on row 50").get_by_role("button", name="Anomaly")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#rows-title")).to_have_text("3 rows")
