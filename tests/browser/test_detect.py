"""The start page and the form of a detection in a browser: sample data, swapped fields, previews."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]
SLOW = 60_000


@pytest.fixture(scope="module")
def orders(server: Any, browser: Browser, cookies: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the form of a table with more rows than a preview looks at, and hostile names."""
    source = random.Random(2)
    path: Path = tmp_path_factory.mktemp("orders") / "orders.csv"
    lines = ["amount,<img src=x onerror=alert(1)>,weight"]
    for row in range(2600):
        amount = 900 if row % 100 == 0 else source.gauss(50, 9)
        lines.append(
            f"{amount:.2f},{source.choice(['<script>alert(1)</script>', 'b'])},{source.gauss(4, 1):.2f}"
        )
    path.write_text("\n".join(lines))
    with browser.new_context(base_url=server.url, storage_state=cookies) as context:
        answer = context.request.post(
            "/datasets/new",
            multipart={"file": {"name": path.name, "mimeType": "text/csv", "buffer": path.read_bytes()}},
            headers={"Origin": server.url},
            max_redirects=0,
        )
        assert answer.status == 303
        address = answer.headers["location"]
        page = context.new_page()
        page.goto(address)
        page.get_by_role("link", name="Find anomalies").first.wait_for(timeout=SLOW)
    return f"/detections/new?dataset={address.rsplit('/', 1)[1]}"


def fits(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_sample_data_in_one_click_lead_to_a_result_on_the_start_page(open_page: OPEN) -> None:
    page = open_page()
    page.goto("/")
    if page.locator(".more-samples").count():
        page.locator(".more-samples > summary").click()
    page.get_by_role("button", name="Load and find anomalies: Wine").click()
    expect(page.get_by_text("of 129 rows")).to_be_visible(timeout=SLOW)
    result = page.url[page.url.index("/detections") :]
    page.goto("/")
    row = page.locator(".found-table tr").filter(has=page.locator(f'a[href="{result}"]'))
    expect(row.locator(".score-spark")).to_be_visible()
    expect(row.locator(".flag")).to_have_text("7")


def test_a_job_that_ends_shows_its_result_without_a_reload(open_page: OPEN, orders: str) -> None:
    page = open_page()
    dataset = orders.rsplit("=", 1)[1]
    body = {"dataset_id": dataset, "algorithm": "one_class_svm"}
    page.goto("/")
    before = page.locator(".found-table tbody tr").count()
    page.request.post("/api/v1/detection/detect", data=body, headers={"Origin": page.url.rstrip("/")})
    page.goto("/")
    page.evaluate("window.same = true")
    expect(page.locator("#running-title")).to_have_count(0, timeout=SLOW)
    expect(page.locator(".found-table tbody tr")).to_have_count(min(8, before + 1))
    assert page.evaluate("window.same")


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no-scripts"])
def test_another_algorithm_and_a_preview_keep_what_was_typed(open_page: OPEN, orders: str, js: bool) -> None:
    page = open_page(js=js)
    page.goto(orders)
    page.locator("#otherwise > summary").click()
    page.fill("#flag-max_alerts", "26")
    if js:
        page.evaluate("window.same = true")
        expect(page.locator("#flag-is-max_alerts")).to_be_checked()
    else:
        page.check("#flag-is-max_alerts")
    page.get_by_text("Choose another algorithm").click()
    page.get_by_label("fast", exact=True).check()
    expect(page.get_by_role("button", name="One-class SVM")).to_be_hidden()
    page.get_by_role("button", name="Isolation forest").click()
    expect(page.get_by_label("Number of trees")).to_have_value("100")
    page.get_by_role("button", name="Quick").click()
    expect(page.get_by_label("Number of trees")).to_have_value("50")
    if js:
        assert page.evaluate("window.same")
        page.locator(".columns > summary").first.click()
        page.get_by_role("button", name="None", exact=True).click()
        page.get_by_label("Search columns").fill("AMOU")
        page.get_by_role("checkbox", name="amount").check()
        expect(page.get_by_text("1 of 3", exact=True)).to_be_visible()
        expect(page.locator(".column-list li:visible")).to_have_count(1)
    page.get_by_role("button", name="Preview on a sample").click()
    expect(page.get_by_text("of 2,000 sampled rows flagged")).to_be_visible(timeout=SLOW)
    expect(page.locator("#flag-max_alerts")).to_have_value("26")
    expect(page.get_by_label("Number of trees")).to_have_value("50")
    page.get_by_role("button", name="Run on all 2,600 rows").click()
    expect(page.get_by_text("of 2,600 rows").first).to_be_visible(timeout=SLOW)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_nothing_on_form_preview_and_start_page(
    open_page: OPEN, orders: str, theme: str, width: int
) -> None:
    page = open_page(theme=theme, width=width)
    page.goto(orders)
    page.locator("#otherwise > summary").click()
    page.get_by_role("button", name="Preview on a sample").click()
    page.locator("#preview-title").wait_for(timeout=SLOW)
    wrong = {}
    for address in (page.url, orders, f"{orders}&algorithm=ensemble", "/"):
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        fits(page)
        found = Axe().run(page)
        if found.violations_count:
            wrong[address] = found.generate_report()
    assert wrong == {}, "\n".join(wrong.values())
