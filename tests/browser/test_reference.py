"""The pages of the API's description run under the usual policy, with files of ours only."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_swagger_ui_shows_the_api_and_sends_requests(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/api/v1/docs")
    expect(page.get_by_role("heading", name="Pynomaly").first).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="datasets", exact=False).first.click()
    operation = page.locator("#operations-datasets-datasets_list")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table td.response-col_status").last).to_contain_text("200")


def test_redoc_shows_the_api_with_its_styles(open_page: Callable[..., Page]) -> None:
    page = open_page()
    answer = page.goto("/api/v1/redoc")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "'nonce-" in policy
    assert "unsafe" not in policy
    assert policy != (page.request.get("/api/v1/redoc")).headers["content-security-policy"]
    expect(page.get_by_role("heading", name="Pynomaly").first).to_be_visible(timeout=30_000)
    expect(page.locator('[id="tag/datasets/operation/datasets_list"] h2').first).to_be_visible()
    menu = page.locator(".menu-content")
    assert menu.evaluate("element => getComputedStyle(element).position") == "sticky", "styles are missing"


def test_without_javascript_there_is_a_link(open_page: Callable[..., Page]) -> None:
    for path in ("/api/v1/docs", "/api/v1/redoc"):
        page = open_page(js=False)
        page.goto(path)
        expect(page.get_by_role("link", name="/api/v1/openapi.json")).to_be_visible()
