"""One's own account in a browser: a session that ends in the middle of a form, a key that is copied once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]
HOSTILE = "<img src=x onerror=alert(1)> & “Guard”"


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no-scripts"])
def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(
    open_page: OPEN, server: Any, js: bool
) -> None:
    page = open_page(js=js, expected=("401",))
    page.goto("/detectors/new?algorithm=isolation_forest")
    page.get_by_label("Name", exact=True).fill(HOSTILE)
    page.get_by_label("Number of trees").fill("37")
    page.get_by_label("Columns", exact=True).fill("amount\nage")
    page.context.clear_cookies()
    page.get_by_role("button", name="Make the detector").click()
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    page.get_by_label("E-mail address").fill(server.email)
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    page.get_by_role("link", name="Change").click()
    expect(page.get_by_label("Number of trees")).to_have_value("37")
    expect(page.get_by_label("Columns", exact=True)).to_have_value("amount\nage")


def test_a_key_is_copied_and_never_shown_again(open_page: OPEN) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account")
    page.get_by_role("link", name="Make a key").click()
    page.get_by_label("Name", exact=True).fill(HOSTILE)
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("button", name="Copy").first.click()
    key = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"pyn_[\w-]{43}", key)
    page.get_by_role("link", name="I have copied it").click()
    row = page.get_by_role("row", name=HOSTILE)
    expect(row).to_contain_text(key[:12])
    assert key not in page.content()
    row.locator("summary").click()
    row.get_by_role("button", name="Revoke it now").click()
    expect(page.get_by_text("The key is revoked")).to_be_visible()


def test_theme_and_log_out_are_there_on_a_phone(open_page: OPEN) -> None:
    page = open_page(width=360)
    page.goto("/")
    page.get_by_role("link", name="Account", exact=True).click()
    main = page.get_by_role("main")
    main.get_by_role("button", name="Dark", exact=True).click()
    expect(main.get_by_role("button", name="Dark", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(r"/account$"))
    expect(main.get_by_role("button", name="Log out")).to_be_visible()
