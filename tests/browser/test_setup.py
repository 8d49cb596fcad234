"""The page that makes the first administrator, from the link that a fresh server prints."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser


def test_the_link_makes_the_first_administrator_once(browser: Browser, fresh: tuple[Any, str]) -> None:
    server, link = fresh
    with browser.new_context(base_url=server.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_label("E-mail address").fill("first@example.org")
        page.get_by_label("Password").fill("first@example.org")
        page.get_by_role("button", name="Make my account").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_label("E-mail address")).to_have_value("first@example.org")
        page.get_by_label("Password").fill("correct horse battery staple")
        page.get_by_role("button", name="Make my account").click()
        expect(page.get_by_role("heading", name="Find the unusual rows in a table")).to_be_visible()
        answer = page.goto(link)
        assert answer is not None
        assert answer.status >= 400
        expect(page.get_by_role("link", name="Go to the start page")).to_be_visible()
